// Pkt-lines that are text, whole: what an advertisement, a list of refs and a report are made of.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "git/fault.h"
#include "git/pkt_walker.h"

namespace breakwater::storm {

class TextLines {
 public:
  // Longer ones than that are not read. Of what is text the first line of an advertisement is the longest.
  static constexpr size_t line_bytes_max = 4096;

  // As PktWalker::next(), but a piece is a whole line, without the line feed at its end; an `ERR` line, and
  // one that is too long, are told as broken, with a complaint.
  PktWalker::Saw next(std::string_view& in);
  std::string_view line() const noexcept { return line_; }

  // From now on lines may be of side-band (gitprotocol-common): one whose first byte is 1, 2 or 3 is given in
  // the pieces that it came in, without that byte; band() says which, and is 0 for text.
  void expect_bands() noexcept { may_have_bands_ = true; }
  uint8_t band() const noexcept { return band_; }
  bool begins() const noexcept { return walker_.begins(); }

  // The end came: a complaint if that is in the middle of a line.
  bool between_lines() const noexcept { return walker_.between_lines() && gathered_.empty(); }
  const Complaint& complaint() const noexcept { return complaint_; }
  void complain(GitFault fault, std::string_view words) { complaint_.say(fault, words); }
  void go_on(std::string_view words) { complaint_.go_on(words); }

 private:
  bool is_of_band() noexcept;

  PktWalker walker_;
  std::string gathered_;  // of a line that came in pieces
  std::string_view line_;
  bool was_given_ = false;
  bool may_have_bands_ = false;
  uint8_t band_ = 0;
  Complaint complaint_;
};

// Takes what stands before the first `separator` off the front of `text`, and the separator; or all of it.
std::string_view take_word(std::string_view& text, char separator = ' ') noexcept;

}  // namespace breakwater::storm
