#include "wire/pack_progress.h"

#include <algorithm>
#include <cstring>

#include "wire/pkt_line.h"

namespace breakwater::wire {

namespace {

constexpr char pack_band = '\x01', progress_band = '\x02', fatal_band = '\x03';
constexpr char first_of_err = 'E';
constexpr size_t flush = 0, delimiter = 1;  // lengths that say so

// "packfile"; of v0 and v1 "NAK", or an "ACK" with nothing behind the object's name, which has 40 or 64
// digits.
bool is_last_of_opening(bool is_v2, std::string_view text, size_t line_bytes) noexcept {
  constexpr std::string_view packfile = "packfile\n", nak = "NAK\n", ack = "ACK ";
  constexpr size_t around_name = 4 + ack.size() + 1;
  if (is_v2) return line_bytes == 4 + packfile.size() && packfile.starts_with(text);
  return (line_bytes == 4 + nak.size() && text == nak) ||
         (text == ack && (line_bytes == around_name + 40 || line_bytes == around_name + 64));
}

}  // namespace

void PackProgress::start(UploadPackAnswer answer, const PackOpening& said) noexcept {
  stage_ = answer == UploadPackAnswer::unprovable ? Stage::beyond : Stage::opening;
  is_v2_ = answer == UploadPackAnswer::v2;
  said_ = said;
  opening_ = {};
  lead_bytes_ = line_bytes_ = left_ = 0;
}

size_t PackProgress::look(std::string_view bytes) noexcept {
  size_t at = 0;
  size_t line_begins = 0;            // of `bytes`; 0, too, if before them
  size_t passed_lead = lead_bytes_;  // of the line that begins there
  while (at < bytes.size() && follows()) {
    if (left_ > 0) {
      const size_t passes = std::min(left_, bytes.size() - at);
      if (stage_ == Stage::opening) note_opening(bytes.substr(at, passes));
      left_ -= passes;
      at += passes;
      if (left_ > 0) break;
      if (stage_ == Stage::opening) end_line_of_opening();
      lead_bytes_ = 0;
      continue;
    }
    if (lead_bytes_ == 0) {
      line_begins = at;
      passed_lead = 0;
    }
    if (stage_ == Stage::opening) note_opening(bytes.substr(at, 1));
    take(bytes[at++]);
  }
  if (stage_ != Stage::failed) return bytes.size();
  lead_bytes_ = passed_lead;
  return line_begins;
}

// It is nothing that could be followed. What the client has must have been there before that.
void PackProgress::leave() noexcept {
  stage_ = opening_.bytes < said_.bytes ? Stage::differs : Stage::beyond;
}

void PackProgress::note_opening(std::string_view bytes) noexcept {
  for (const char byte : bytes) {
    opening_.hash = fnv_add(opening_.hash, byte);
    if (++opening_.bytes == said_.bytes && opening_.hash != said_.hash) stage_ = Stage::differs;
  }
}

void PackProgress::take(char byte) noexcept {
  if (stage_ == Stage::differs) return;
  if (stage_ == Stage::progress && lead_bytes_ == length_digits) return take_band(byte);
  lead_[lead_bytes_++] = byte;
  if (lead_bytes_ == length_digits) return take_length();
  if (lead_bytes_ < length_digits || lead_bytes_ < std::min(line_bytes_, lead_bytes_max)) return;
  left_ = line_bytes_ - lead_bytes_;
  if (left_ > 0) return;
  end_line_of_opening();
  lead_bytes_ = 0;
}

void PackProgress::take_length() noexcept {
  line_bytes_ = pkt_line_length({lead_.data(), length_digits});
  const bool goes_on = stage_ == Stage::opening && line_bytes_ == (is_v2_ ? delimiter : flush);
  if (goes_on)
    lead_bytes_ = 0;
  else if (line_bytes_ < empty_packet_bytes || line_bytes_ > pkt_line_bytes_max)
    leave();
}

// The line's first bytes stand in lead_.
void PackProgress::end_line_of_opening() noexcept {
  const std::string_view text(lead_.data() + length_digits, lead_bytes_ - length_digits);
  if (text[0] <= fatal_band || text == "ERR ") return leave();
  if (!is_last_of_opening(is_v2_, text, line_bytes_)) return;
  opening_.whole = true;
  stage_ = opening_.bytes < said_.bytes ? Stage::differs : Stage::progress;
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
  if (stage_ == Stage::beyond) return {};
  if (stage_ == Stage::opening || stage_ == Stage::differs || lead_bytes_ == 0) return 0;
  size_t length = line_bytes_;
  std::array<char, length_digits> digits;
  std::copy_n(lead_.begin(), length_digits, digits.begin());
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
