#include "client/inflater.h"

#include "wire/http_head.h"

namespace breakwater::storm {

namespace {
constexpr int any_window = 15 + 32;  // gzip's or zlib's head
}  // namespace

std::unique_ptr<Inflater> Inflater::of(std::string_view coding) {
  if (coding.empty() || wire::equals_ignoring_case(coding, "identity")) return nullptr;
  const bool known = wire::equals_ignoring_case(coding, "gzip") ||
                     wire::equals_ignoring_case(coding, "x-gzip") ||
                     wire::equals_ignoring_case(coding, "deflate");
  return std::unique_ptr<Inflater>(new Inflater(known));
}

Inflater::Inflater(bool known) noexcept {
  usable_ = known && inflateInit2(&stream_, any_window) == Z_OK;
}

Inflater::~Inflater() {
  if (usable_) inflateEnd(&stream_);
}

std::string_view Inflater::next(std::string_view& compressed, std::span<char> room) noexcept {
  if (failed_ || whole_) return {};
  stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(compressed.data()));
  stream_.avail_in = static_cast<uInt>(compressed.size());
  stream_.next_out = reinterpret_cast<Bytef*>(room.data());
  stream_.avail_out = static_cast<uInt>(room.size());
  const int status = inflate(&stream_, Z_NO_FLUSH);
  compressed.remove_prefix(compressed.size() - stream_.avail_in);
  whole_ = status == Z_STREAM_END;
  failed_ = status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR;
  return {room.data(), room.size() - stream_.avail_out};
}

}  // namespace breakwater::storm
