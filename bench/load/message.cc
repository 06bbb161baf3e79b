#include "message.h"

#include <fmt/format.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <map>

namespace breakwater::bench {
namespace {

constexpr size_t body_bytes = 1024 * 1024;
constexpr size_t scratch_bytes = 256 * 1024;
// The payload of chunks from here on is dropped by the kernel instead of copied, in a call of its own.
constexpr size_t skip_bytes_min = 32 * 1024;
constexpr size_t skip_bytes_max = 1u << 30;
constexpr int reads_at_once_max = 32;
// Enough for the line between two large chunks, and little to copy of what follows.
constexpr size_t between_large_chunks_bytes = 512;

std::array<char, scratch_bytes> scratch;

const std::string& plain_body() {
  static const std::string body(body_bytes, 'b');
  return body;
}

std::string framed(std::string_view payload) {
  return fmt::format("{:x}\r\n{}\r\n", payload.size(), payload);
}

// As many whole chunks as come to about the same memory as a plain body, so that one send moves as much.
const std::string& chunked_body(size_t chunk_bytes) {
  static std::map<size_t, std::string> bodies;
  std::string& body = bodies[chunk_bytes];
  if (body.empty()) {
    const std::string frame = framed(std::string(chunk_bytes, 'b'));
    do body += frame;
    while (body.size() + frame.size() <= body_bytes);
  }
  return body;
}

bool same_ignoring_case(std::string_view text, std::string_view lower) noexcept {
  return std::ranges::equal(text, lower, {}, [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
}

}  // namespace

void Outgoing::start_with_length(std::string head, uint64_t bytes) {
  head_ = std::move(head);
  tail_.clear();
  body_ = plain_body().data();
  period_ = frame_bytes_ = chunk_bytes_ = body_bytes;
  payload_ = body_length_ = bytes;
  position_ = 0;
  busy_ = true;
}

void Outgoing::start_chunked(std::string head, size_t chunk_bytes, uint64_t bytes) {
  start_with_length(std::move(head), 0);
  payload_ = bytes;
  const std::string& body = chunked_body(chunk_bytes);
  body_ = body.data();
  period_ = body.size();
  chunk_bytes_ = chunk_bytes;
  frame_bytes_ = framed(std::string(chunk_bytes, 'b')).size();
  body_length_ = bytes / chunk_bytes * frame_bytes_;
  const size_t rest = bytes % chunk_bytes;
  if (rest != 0) tail_ = framed(std::string(rest, 'b'));
  tail_ += "0\r\n\r\n";
}

Progress Outgoing::send(Channel& channel) {
  iovec parts[3];
  size_t count = 0;
  const auto add = [&](const char* data, size_t bytes) {
    if (bytes != 0) parts[count++] = {const_cast<char*>(data), bytes};
  };
  // No more than one round of the body in a call, so that connections take turns.
  uint64_t at = position_;
  if (at < head_.size()) {
    add(head_.data() + at, head_.size() - at);
    at = head_.size();
  }
  uint64_t in_body = at - head_.size();
  if (in_body < body_length_) {
    const size_t offset = in_body % period_;
    const size_t bytes = std::min<uint64_t>(period_ - offset, body_length_ - in_body);
    add(body_ + offset, bytes);
    in_body += bytes;
  }
  if (in_body >= body_length_) {
    const uint64_t in_tail = in_body - body_length_;
    add(tail_.data() + in_tail, tail_.size() - in_tail);
  }
  const ssize_t sent = channel.send({parts, count});
  if (sent < 0) return errno == EAGAIN || errno == EINTR ? Progress::more : Progress::broken;
  position_ += static_cast<uint64_t>(sent);
  if (position_ < head_.size() + body_length_ + tail_.size()) return Progress::more;
  busy_ = false;
  return Progress::done;
}

uint64_t Outgoing::payload_sent() const noexcept {
  if (!busy_) return payload_;
  if (position_ <= head_.size()) return 0;
  const uint64_t in_body = std::min(position_ - head_.size(), body_length_);
  if (frame_bytes_ == chunk_bytes_) return in_body;
  return in_body / frame_bytes_ * chunk_bytes_;
}

void ChunkWalker::step(char byte) noexcept {
  switch (state_) {
    case State::size: {
      unsigned digit = 16;
      if (byte >= '0' && byte <= '9') digit = unsigned(byte - '0');
      if (byte >= 'a' && byte <= 'f') digit = unsigned(byte - 'a') + 10;
      if (byte >= 'A' && byte <= 'F') digit = unsigned(byte - 'A') + 10;
      if (digit < 16 && digits_ < 15) {
        left_ = left_ * 16 + digit;
        ++digits_;
      } else if (digits_ != 0 && (byte == '\r' || byte == ';')) {
        state_ = State::extension;
      } else {
        state_ = State::broken;
      }
      return;
    }
    case State::extension:
      if (byte != '\n') return;
      digits_ = 0;
      state_ = left_ == 0 ? State::trailer_end : State::payload;
      if (left_ != 0) chunk_bytes_ = left_;
      return;
    case State::payload_end:
      if (byte == '\r' && digits_ == 0) {
        digits_ = 1;
      } else if (byte == '\n' && digits_ == 1) {
        digits_ = 0;
        state_ = State::size;
      } else {
        state_ = State::broken;
      }
      return;
    case State::trailer:
      if (byte == '\n') state_ = State::trailer_end;
      return;
    case State::trailer_end:
      if (byte == '\n') {
        state_ = State::finished;
      } else if (byte != '\r') {
        state_ = State::trailer;
      }
      return;
    case State::payload:
    case State::finished:
    case State::broken:
      return;
  }
}

size_t ChunkWalker::feed(std::string_view bytes) noexcept {
  size_t at = 0;
  while (at < bytes.size() && !finished() && !broken()) {
    if (state_ == State::payload) {
      const size_t run = std::min<uint64_t>(left_, bytes.size() - at);
      skip(run);
      at += run;
    } else {
      step(bytes[at]);
      ++at;
    }
  }
  return at;
}

void ChunkWalker::skip(size_t bytes) noexcept {
  left_ -= bytes;
  payload_ += bytes;
  if (left_ == 0) state_ = State::payload_end;
}

void Incoming::restart() noexcept {
  head_bytes_ = 0;
  head_complete_ = false;
  framing_ = Framing::none;
  left_ = payload_ = 0;
  chunks_ = ChunkWalker();
}

std::string_view Incoming::start_line() const noexcept {
  const std::string_view head(head_.data(), head_bytes_);
  return head.substr(0, head.find("\r\n"));
}

std::optional<std::string_view> Incoming::field(std::string_view name) const noexcept {
  std::string_view rest(head_.data(), head_bytes_);
  while (true) {
    const size_t end = rest.find("\r\n");
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end + 2);
    if (line.size() < name.size() || !same_ignoring_case(line.substr(0, name.size()), name)) continue;
    std::string_view value = line.substr(name.size());
    value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
    return value;
  }
}

bool Incoming::find_framing() noexcept {
  const bool is_answer = start_line().starts_with("HTTP/");
  if (field("transfer-encoding:")) {
    framing_ = Framing::chunked;
    return true;
  }
  if (const auto length = field("content-length:")) {
    const auto [end, error] = std::from_chars(length->data(), length->data() + length->size(), left_);
    framing_ = Framing::length;
    return error == std::errc() && end == length->data() + length->size();
  }
  framing_ = is_answer ? Framing::until_close : Framing::none;
  return true;
}

// Body bytes that were read into memory.
Progress Incoming::take(std::string_view bytes) noexcept {
  switch (framing_) {
    case Framing::none:
      return bytes.empty() ? Progress::done : Progress::broken;
    case Framing::length:
      if (bytes.size() > left_) return Progress::broken;
      left_ -= bytes.size();
      payload_ += bytes.size();
      return left_ == 0 ? Progress::done : Progress::more;
    case Framing::chunked: {
      const size_t taken = chunks_.feed(bytes);
      if (chunks_.broken() || taken < bytes.size()) return Progress::broken;
      return chunks_.finished() ? Progress::done : Progress::more;
    }
    case Framing::until_close:
      payload_ += bytes.size();
      return Progress::more;
  }
  return Progress::broken;
}

Progress Incoming::read_head(Channel& channel) {
  const ssize_t got = channel.receive(head_.data() + head_bytes_, head_.size() - head_bytes_);
  if (got == 0) return Progress::ended;
  if (got < 0) return errno == EAGAIN || errno == EINTR ? Progress::more : Progress::broken;
  const size_t before = head_bytes_;
  head_bytes_ += static_cast<size_t>(got);
  const std::string_view seen(head_.data(), head_bytes_);
  const size_t end = seen.find("\r\n\r\n", before < 3 ? 0 : before - 3);
  if (end == std::string_view::npos) return head_bytes_ == head_.size() ? Progress::broken : Progress::more;
  const std::string_view body = seen.substr(end + 4);
  head_bytes_ = end + 4;
  head_complete_ = true;
  if (!find_framing()) return Progress::broken;
  return take(body);
}

// Goes on while it was given all that it asked for, but not for ever, so that connections take turns.
Progress Incoming::read_body(Channel& channel) {
  for (int turn = 0; turn < reads_at_once_max || channel.holds_data(); ++turn) {
    const uint64_t known = framing_ == Framing::chunked ? chunks_.payload_left() : left_;
    const bool large_chunks = framing_ == Framing::chunked && chunks_.chunk_bytes() >= skip_bytes_min;
    const bool skip = framing_ != Framing::chunked || (large_chunks && known != 0);
    size_t wanted = scratch_bytes;
    if (framing_ == Framing::until_close) {
      wanted = skip_bytes_max;
    } else if (skip) {
      wanted = std::min<uint64_t>(known, skip_bytes_max);
    } else if (large_chunks) {
      wanted = between_large_chunks_bytes;
    }
    const ssize_t got = skip ? channel.drop(wanted) : channel.receive(scratch.data(), wanted);
    if (got < 0) return errno == EAGAIN || errno == EINTR ? Progress::more : Progress::broken;
    if (got == 0) return framing_ == Framing::until_close ? Progress::done : Progress::ended;
    const size_t bytes = static_cast<size_t>(got);
    const Progress progress = skip ? drop(bytes) : take({scratch.data(), bytes});
    if (progress != Progress::more || (bytes < wanted && !channel.holds_data())) return progress;
  }
  return Progress::more;
}

// Payload that the channel threw away.
Progress Incoming::drop(size_t bytes) noexcept {
  if (framing_ == Framing::chunked) {
    chunks_.skip(bytes);
    return Progress::more;
  }
  payload_ += bytes;
  if (framing_ == Framing::until_close) return Progress::more;
  left_ -= bytes;
  return left_ == 0 ? Progress::done : Progress::more;
}

Progress Incoming::read(Channel& channel) {
  if (head_complete_) return read_body(channel);
  const Progress progress = read_head(channel);
  const bool goes_on = progress == Progress::more && head_complete_ && channel.holds_data();
  return goes_on ? read_body(channel) : progress;
}

}  // namespace breakwater::bench
