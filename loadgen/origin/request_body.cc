#include "origin/request_body.h"

#include <new>

namespace breakwater::origin {

GzipReader::GzipReader() {
  // 16 + window bits: gzip framing only, neither zlib nor raw deflate.
  if (inflateInit2(&stream_, 16 + MAX_WBITS) != Z_OK) throw std::bad_alloc();
}

GzipReader::~GzipReader() {
  inflateEnd(&stream_);
}

void GzipReader::set_input(std::span<char> bytes) {
  stream_.next_in = reinterpret_cast<Bytef*>(bytes.data());
  stream_.avail_in = static_cast<uInt>(bytes.size());
}

std::string_view GzipReader::next() {
  if (failed_) return {};
  if (!finished_) {
    stream_.next_out = reinterpret_cast<Bytef*>(out_.data());
    stream_.avail_out = static_cast<uInt>(out_.size());
    const int result = inflate(&stream_, Z_NO_FLUSH);
    finished_ = result == Z_STREAM_END;
    failed_ = !finished_ && result != Z_OK && result != Z_BUF_ERROR;
    const size_t made = out_.size() - stream_.avail_out;
    if (made > 0) return {out_.data(), made};
  }
  if (finished_ && stream_.avail_in > 0) failed_ = true;  // bytes behind the end of the gzip stream
  return {};
}

RequestBody::RequestBody(const wire::BodyFraming& framing, bool gzipped, std::span<char> raw)
    : raw_(raw), gzipped_(gzipped && framing.kind != wire::BodyKind::none) {
  reader_.start(framing);
}

void RequestBody::discard() {
  discard_ = true;
  pending_ = {};
}

RequestBody::State RequestBody::advance() {
  while (true) {
    if (discard_) pending_ = {};
    if (!pending_.empty()) return State::ready;
    if (gzipped_ && !discard_) {
      pending_ = inflater_.next();
      if (inflater_.failed()) return State::malformed;
      if (!pending_.empty()) continue;
    }
    std::span<char> piece;
    if (next_piece(piece)) {
      if (gzipped_ && !discard_)
        inflater_.set_input(piece);
      else
        pending_ = {piece.data(), piece.size()};
      continue;
    }
    if (reader_.fault() != wire::Fault::none) return State::malformed;
    if (reader_.done()) {
      const bool cut_short = gzipped_ && !discard_ && !inflater_.finished();
      return cut_short ? State::malformed : State::done;
    }
    return State::needs_more;
  }
}

bool RequestBody::next_piece(std::span<char>& piece) {
  if (piece_index_ == pieces_.count) {
    pieces_.clear();
    piece_index_ = 0;
    while (pieces_.count == 0 && !raw_.empty() && !reader_.done() && reader_.fault() == wire::Fault::none) {
      const size_t walked = reader_.walk(raw_, pieces_);
      raw_ = raw_.subspan(walked);
    }
    if (pieces_.count == 0) return false;
  }
  const wire::Pieces::Piece& next = pieces_.piece[piece_index_++];
  piece = {next.data, next.bytes};
  return true;
}

}  // namespace breakwater::origin
