#include "wire/upload_pack.h"

#include <algorithm>
#include <cstring>

#include "wire/pkt_line.h"

namespace breakwater::wire {

namespace {

// `word` among the blank-separated capabilities of a want line.
bool has_capability(std::string_view line, std::string_view word) {
  if (line.ends_with('\n')) line.remove_suffix(1);
  while (!line.empty()) {
    const size_t end = std::min(line.find(' '), line.size());
    if (line.substr(0, end) == word) return true;
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  return false;
}

}  // namespace

UploadPackAsk read_upload_pack_request(uint8_t protocol_version, bool encoded,
                                       std::string_view body) noexcept {
  UploadPackAsk ask;
  if (protocol_version == 2) ask.answer = UploadPackAnswer::v2;
  if (encoded) return ask;
  bool first = true;
  bool is_fetch = protocol_version != 2;
  bool has_sideband = false;
  bool has_done = false;
  while (!body.empty()) {
    const PktLine line = read_pkt_line(body);
    if (line.bytes == 0) return {};  // not what Git sends: no guesses
    body.remove_prefix(line.bytes);
    if (line.kind != PktLine::Kind::data) continue;
    if (first) {
      if (protocol_version == 2) {
        if (!line.payload.starts_with("command=")) return {};  // whatever the header says, this is v0
        is_fetch = line.payload == "command=fetch" || line.payload == "command=fetch\n";
      }
      has_sideband =
          has_capability(line.payload, "side-band-64k") || has_capability(line.payload, "side-band");
    }
    first = false;
    has_done = line.payload == "done\n" || line.payload == "done";
    if (line.payload.starts_with("have ")) ask.has_haves = true;
  }
  ask.is_fetch = is_fetch;
  ask.pack_is_sure = is_fetch && has_done;
  if (protocol_version != 2 && has_sideband && has_done) ask.answer = UploadPackAnswer::sideband;
  return ask;
}

void UploadPackEnd::start(UploadPackAnswer answer) noexcept {
  answer_ = answer;
  malformed_ = pack_seen_ = fatal_ = proven_ = false;
  head_bytes_ = 0;
  left_ = line_bytes_ = 0;
}

uint64_t UploadPackEnd::opaque() const noexcept {
  return malformed_ ? UINT64_MAX : left_;
}

void UploadPackEnd::skip(uint64_t bytes) noexcept {
  if (!malformed_) left_ -= bytes;
}

void UploadPackEnd::look(std::string_view bytes) noexcept {
  while (!bytes.empty() && !malformed_) {
    if (left_ > 0) {
      const uint64_t passes = std::min<uint64_t>(left_, bytes.size());
      left_ -= passes;
      bytes.remove_prefix(static_cast<size_t>(passes));
      continue;
    }
    proven_ = false;
    const bool in_digits = head_bytes_ < length_digits;
    const size_t wanted = in_digits ? length_digits : std::min<size_t>(line_bytes_, head_.size());
    const size_t take = std::min(wanted - head_bytes_, bytes.size());
    std::memcpy(head_.data() + head_bytes_, bytes.data(), take);
    head_bytes_ += static_cast<uint32_t>(take);
    bytes.remove_prefix(take);
    if (head_bytes_ < wanted) return;
    if (in_digits)
      take_length();
    else
      take_lead();
  }
}

void UploadPackEnd::take_length() noexcept {
  const size_t length = pkt_line_length({head_.data(), length_digits});
  if (length == 3 || length > pkt_line_bytes_max) {
    malformed_ = true;
  } else if (length > length_digits) {
    line_bytes_ = length;  // a data line: its payload comes
  } else {
    head_bytes_ = 0;
    const bool flush = length == 0;
    const bool ends =
        answer_ == UploadPackAnswer::v2 || (answer_ == UploadPackAnswer::sideband && pack_seen_);
    proven_ = fatal_ || (flush && ends);
  }
}

// What kind of line is it? The rest of it passes unseen.
void UploadPackEnd::take_lead() noexcept {
  const std::string_view lead(head_.data() + length_digits, head_bytes_ - length_digits);
  if (lead[0] == '\x01') pack_seen_ = true;
  if (answer_ != UploadPackAnswer::unprovable && (lead[0] == '\x03' || lead == "ERR ")) fatal_ = true;
  proven_ = fatal_;
  left_ = line_bytes_ - head_bytes_;
  head_bytes_ = 0;
}

}  // namespace breakwater::wire
