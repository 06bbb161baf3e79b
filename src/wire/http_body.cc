#include "wire/http_body.h"

#include <algorithm>
#include <cstring>

#include "wire/byte_class.h"
#include "wire/field_rules.h"

namespace breakwater::wire {

namespace {

constexpr size_t join_below = 1024;  // pieces smaller than this are moved together; larger ones are gathered

void add_piece(Pieces& pieces, char* data, size_t bytes) {
  pieces.bytes += bytes;
  if (pieces.count > 0) {
    Pieces::Piece& last = pieces.piece[pieces.count - 1];
    char* const last_end = last.data + last.bytes;
    // Payload only ever moves down, over framing that was already walked.
    if (last_end != data && bytes < join_below) std::memmove(last_end, data, bytes);
    if (last_end == data || bytes < join_below) {
      last.bytes += bytes;
      return;
    }
  }
  pieces.piece[pieces.count++] = {data, bytes};
}

}  // namespace

void BodyReader::start(const BodyFraming& framing) noexcept {
  fault_ = Fault::none;
  line_is_cut_ = false;
  remaining_ = 0;
  chunk_bytes_ = 0;
  payload_bytes_ = 0;
  line_bytes_ = 0;
  trailer_bytes_ = 0;
  watches_tail_ = false;
  tail_bytes_ = 0;
  switch (framing.kind) {
    case BodyKind::none:
      state_ = State::done;
      break;
    case BodyKind::length:
      remaining_ = framing.length;
      state_ = framing.length == 0 ? State::done : State::counted;
      break;
    case BodyKind::chunked:
      state_ = State::chunk_size;
      break;
    case BodyKind::until_close:
      state_ = State::until_close;
      break;
  }
}

size_t BodyReader::walk(std::span<char> raw, Pieces& pieces) noexcept {
  size_t at = 0;
  const auto refuse = [&](Fault fault) {
    fault_ = fault;
    return at;
  };
  while (at < raw.size() && fault_ == Fault::none) {
    const char byte = raw[at];
    switch (state_) {
      case State::done:
        return at;

      case State::counted:
      case State::until_close:
      case State::chunk_data: {
        if (pieces.count == Pieces::pieces_max) return at;
        const uint64_t here = raw.size() - at;
        const size_t take =
            static_cast<size_t>(state_ == State::until_close ? here : std::min<uint64_t>(here, remaining_));
        if (watches_tail_) note_tail({raw.data() + at, take});
        add_piece(pieces, raw.data() + at, take);
        at += take;
        payload_bytes_ += take;
        if (state_ == State::until_close) break;
        remaining_ -= take;
        if (remaining_ == 0) state_ = state_ == State::counted ? State::done : State::chunk_data_cr;
        break;
      }

      case State::chunk_size:  // 1*HEXDIG, at most 15 of them, so that no parser overflows
        at++;
        if (is(byte_hex, byte)) {
          if (++line_bytes_ > 15) return refuse(Fault::bad_chunk);
          remaining_ = remaining_ * 16 + hex_value(byte);
        } else if (line_bytes_ > 0 && byte == '\r') {
          state_ = State::chunk_size_lf;
        } else if (line_bytes_ > 0 && byte == ';') {
          state_ = State::chunk_extension;
        } else {
          return refuse(Fault::bad_chunk);
        }
        break;

      case State::chunk_extension:
        at++;
        if (byte == '\r') {
          state_ = State::chunk_size_lf;
        } else if (!is(byte_value, byte) || ++line_bytes_ > chunk_line_bytes_max) {
          return refuse(Fault::bad_chunk);
        }
        break;

      case State::chunk_size_lf:
        at++;
        if (byte != '\n') return refuse(Fault::bad_chunk);
        line_bytes_ = 0;
        state_ = remaining_ == 0 ? State::trailer_line : State::chunk_data;
        break;

      case State::chunk_data_cr:
        at++;
        if (byte != '\r') return refuse(Fault::bad_chunk);
        state_ = State::chunk_data_lf;
        break;

      case State::chunk_data_lf:
        at++;
        if (byte != '\n') return refuse(Fault::bad_chunk);
        state_ = State::chunk_size;
        break;

      case State::trailer_line:
        at++;
        if (!take_trailer_byte(byte)) return refuse(Fault::bad_trailer);
        break;
    }
  }
  return at;
}

// One byte of the trailer section. The line being read stands at the end of trailer_, behind the fields that
// are kept.
bool BodyReader::take_trailer_byte(char byte) noexcept {
  const uint32_t line_start = trailer_bytes_;
  if (line_start + line_bytes_ >= trailer_.size()) return false;
  char* const line = trailer_.data() + line_start;
  const bool after_cr = line_bytes_ > 0 && line[line_bytes_ - 1] == '\r';
  if (after_cr != (byte == '\n')) return false;  // CR and LF only as a pair
  line[line_bytes_++] = byte;
  if (byte != '\n') return byte == '\r' || is(byte_value, byte);
  const std::string_view text(line, line_bytes_ - 2);
  line_bytes_ = 0;
  if (text.empty()) {
    state_ = State::done;
    return true;
  }
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0 || !all_are(byte_token, text.substr(0, colon)))
    return false;
  const std::string_view name = text.substr(0, colon);
  if (is_ambiguous_spelling(name)) return false;
  const bool dropped =
      is_forbidden_in_trailer(name) || is_hop_by_hop(name) || is_identity(name) || is_forwarding(name);
  if (!dropped) trailer_bytes_ += static_cast<uint32_t>(text.size() + 2);
  return true;
}

void Pieces::drop_front(size_t dropped) noexcept {
  bytes -= dropped;
  size_t first = 0;
  while (first < count && dropped >= piece[first].bytes) dropped -= piece[first++].bytes;
  std::copy(piece.begin() + first, piece.begin() + count, piece.begin());
  count -= first;
  if (dropped == 0) return;
  piece[0].data += dropped;
  piece[0].bytes -= dropped;
}

void Pieces::keep_front(size_t kept) noexcept {
  bytes = kept;
  size_t last = 0;
  while (kept > 0) {
    piece[last].bytes = std::min(piece[last].bytes, kept);
    kept -= piece[last++].bytes;
  }
  count = last;
}

bool BodyReader::end_of_connection() noexcept {
  if (state_ == State::until_close) state_ = State::done;
  if (state_ == State::done) return true;
  fault_ = Fault::truncated_body;
  return false;
}

uint64_t BodyReader::remaining() const noexcept {
  if (state_ == State::done) return 0;
  return state_ == State::counted ? remaining_ : UINT64_MAX;
}

uint64_t BodyReader::opaque() const noexcept {
  switch (state_) {
    case State::counted:
      return remaining_;
    case State::chunk_data:
      return remaining_ - (watches_tail_ ? std::min<uint64_t>(remaining_, tail_bytes_max) : 0);
    case State::until_close:
      return UINT64_MAX;
    default:
      return 0;
  }
}

uint64_t BodyReader::left_of_chunk() const noexcept {
  return state_ == State::chunk_data ? remaining_ : 0;
}

void BodyReader::skip(uint64_t bytes) noexcept {
  if (bytes > 0) tail_bytes_ = 0;
  pass(bytes);
}

void BodyReader::pass(uint64_t bytes) noexcept {
  payload_bytes_ += bytes;
  if (bytes == 0 || state_ == State::until_close) return;
  remaining_ -= bytes;
  if (remaining_ == 0) state_ = state_ == State::counted ? State::done : State::chunk_data_cr;
}

bool BodyReader::can_vet() const noexcept {
  return state_ == State::chunk_data || (state_ == State::chunk_size && line_bytes_ == 0);
}

void BodyReader::note_tail(std::string_view payload) noexcept {
  const size_t added = std::min(payload.size(), tail_bytes_max);
  const size_t kept = std::min(tail_bytes_, tail_bytes_max - added);
  std::memmove(tail_.data(), tail_.data() + tail_bytes_ - kept, kept);
  std::memcpy(tail_.data() + kept, payload.data() + payload.size() - added, added);
  tail_bytes_ = kept + added;
}

size_t BodyReader::vet(std::string_view raw) noexcept {
  size_t at = 0;
  line_is_cut_ = false;
  while (at < raw.size()) {
    switch (state_) {
      case State::chunk_data: {
        const size_t take = static_cast<size_t>(std::min<uint64_t>(raw.size() - at, remaining_));
        pass(take);
        if (watches_tail_) note_tail(raw.substr(at, take));
        at += take;
        break;
      }
      case State::chunk_data_cr:
      case State::chunk_data_lf: {
        const bool cr = state_ == State::chunk_data_cr;
        if (raw[at] != (cr ? '\r' : '\n')) {
          fault_ = Fault::bad_chunk;
          return at;
        }
        at++;
        state_ = cr ? State::chunk_data_lf : State::chunk_size;
        break;
      }
      case State::chunk_size: {
        const size_t line = vet_chunk_line(raw.substr(at));
        if (line == 0) return at;
        at += line;
        break;
      }
      default:
        return at;
    }
  }
  return at;
}

// The bytes of the chunk line at the start of `raw` (and of the end, if it is the last chunk's), or 0.
size_t BodyReader::vet_chunk_line(std::string_view raw) noexcept {
  constexpr size_t digits_max = 8;
  constexpr std::string_view last_chunk = "0\r\n\r\n";
  static_assert(last_chunk.size() == last_chunk_bytes);
  if (line_bytes_ != 0) return 0;
  if (raw.starts_with(last_chunk)) {
    state_ = State::done;
    return last_chunk.size();
  }
  if (raw[0] == '0') {
    line_is_cut_ = last_chunk.starts_with(raw);
    return 0;
  }
  uint64_t size = 0;
  size_t digits = 0;
  while (digits < raw.size() && digits <= digits_max && is(byte_hex, raw[digits]))
    size = size * 16 + hex_value(raw[digits++]);
  if (digits == 0 || digits > digits_max) return 0;
  const std::string_view end = raw.substr(digits);
  if (!end.starts_with("\r\n")) {
    line_is_cut_ = end.empty() || end == "\r";
    return 0;
  }
  chunk_bytes_ = remaining_ = size;
  state_ = State::chunk_data;
  return digits + 2;
}

size_t large_chunk_line(std::string_view raw) noexcept {
  constexpr size_t digits_min = 4, digits_max = 8;
  const size_t begin = raw.starts_with("\r\n") ? 2 : 0;
  const std::string_view line = raw.substr(begin);
  size_t digits = 0;
  while (digits < line.size() && digits <= digits_max && is(byte_hex, line[digits])) digits++;
  if (digits < digits_min || digits > digits_max || line[0] == '0' ||
      !line.substr(digits).starts_with("\r\n"))
    return 0;
  return begin + digits + 2;
}

std::string_view BodyReader::trailers() const noexcept {
  return {trailer_.data(), trailer_bytes_};
}

size_t write_chunk_header(uint64_t bytes, std::span<char, chunk_header_bytes_max> out) noexcept {
  size_t digits = 1;
  while (digits < 16 && bytes >> (4 * digits) != 0) digits++;
  for (size_t index = 0; index < digits; index++) {
    out[index] = "0123456789abcdef"[(bytes >> (4 * (digits - 1 - index))) & 15];
  }
  out[digits] = '\r';
  out[digits + 1] = '\n';
  return digits + 2;
}

}  // namespace breakwater::wire
