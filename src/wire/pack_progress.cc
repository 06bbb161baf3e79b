#include "wire/pack_progress.h"

#include <algorithm>
#include <cstring>

#include "wire/pkt_line.h"

namespace breakwater::wire {

namespace {

constexpr char pack_band = '\x01', progress_band = '\x02', fatal_band = '\x03';
constexpr char first_of_err = 'E';
constexpr size_t empty_packet_bytes = 5;  // digits and band

}  // namespace

void PackProgress::start(UploadPackAnswer answer) noexcept {
  opening_ = answer == UploadPackAnswer::v2 ? "000dpackfile\n" : "0008NAK\n";
  stage_ = answer == UploadPackAnswer::unprovable ? Stage::beyond : Stage::opening;
  opening_at_ = lead_bytes_ = line_bytes_ = left_ = 0;
}

size_t PackProgress::look(std::string_view bytes) noexcept {
  size_t at = 0;
  size_t line_begins = 0;            // of `bytes`; 0, too, if before them
  size_t passed_lead = lead_bytes_;  // of the line that begins there
  while (at < bytes.size() && follows()) {
    if (left_ > 0) {
      const size_t passes = std::min(left_, bytes.size() - at);
      left_ -= passes;
      at += passes;
      if (left_ == 0) lead_bytes_ = 0;
      continue;
    }
    if (lead_bytes_ == 0) {
      line_begins = at;
      passed_lead = 0;
    }
    take(bytes[at++]);
  }
  if (stage_ != Stage::failed) return bytes.size();
  lead_bytes_ = passed_lead;
  return line_begins;
}

void PackProgress::take(char byte) noexcept {
  if (stage_ == Stage::opening) {
    // An error comes instead of it.
    if (byte != opening_[opening_at_]) {
      stage_ = Stage::beyond;
    } else if (++opening_at_ == opening_.size()) {
      stage_ = Stage::progress;
    }
    return;
  }
  if (lead_bytes_ == length_digits) return take_band(byte);
  digits_[lead_bytes_++] = byte;
  if (lead_bytes_ < length_digits) return;
  line_bytes_ = pkt_line_length({digits_.data(), length_digits});
  if (line_bytes_ < empty_packet_bytes || line_bytes_ > pkt_line_bytes_max) stage_ = Stage::beyond;
}

void PackProgress::take_band(char band) noexcept {
  const bool is_empty = line_bytes_ == empty_packet_bytes;
  if (band == fatal_band || band == first_of_err) {
    stage_ = Stage::failed;
  } else if (band != progress_band && !(band == pack_band && is_empty)) {
    stage_ = Stage::beyond;
  } else {
    left_ = line_bytes_ - empty_packet_bytes;
    lead_bytes_ = is_empty ? 0 : lead_bytes_ + 1;
  }
}

std::optional<size_t> PackProgress::end_open_line(std::span<char> out) const noexcept {
  if (stage_ == Stage::beyond || (stage_ == Stage::opening && opening_at_ > 0)) return {};
  if (lead_bytes_ == 0) return 0;
  size_t length = line_bytes_;
  std::array<char, length_digits> digits = digits_;
  if (lead_bytes_ < length_digits) {  // the shortest line whose length begins like that
    std::fill(digits.begin() + static_cast<std::ptrdiff_t>(lead_bytes_), digits.end(), '0');
    length = pkt_line_length({digits.data(), digits.size()});
    if (length < empty_packet_bytes) {
      digits.back() = '0' + empty_packet_bytes;
      length = empty_packet_bytes;
    }
  }
  const size_t lead_left = lead_bytes_ < empty_packet_bytes ? empty_packet_bytes - lead_bytes_ : 0;
  const size_t text = lead_left > 0 ? length - empty_packet_bytes : left_;
  if (lead_left + text > out.size()) return {};
  char* to = out.data();
  for (size_t at = lead_bytes_; at < length_digits; at++) *to++ = digits[at];
  if (lead_left > 0) *to++ = progress_band;
  std::memset(to, ' ', text);
  if (text > 0) to[text - 1] = '\n';
  return lead_left + text;
}

}  // namespace breakwater::wire
