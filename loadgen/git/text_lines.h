// What all readers of a Git server's answers have in common: pkt-lines that come in pieces of any size, most
// of them text, told one after the other; and what is wrong with them.
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

  // Returns false once it is of no use to go on: complaint(). An `ERR` line is one.
  bool take(std::string_view piece);
  const Complaint& complaint() const noexcept { return complaint_; }

 protected:
  // `what` is read, for complaints: "an advertisement".
  explicit TextLines(std::string_view what) noexcept : what_(what) {}
  ~TextLines() = default;

  // Whole, without the line feed at its end.
  virtual void take_line(std::string_view line) = 0;
  virtual void take_flush() = 0;
  // Where there is none, and no band is expected, both are what they are for most: wrong.
  virtual void take_delimiter() { complain_of_special(); }
  virtual void take_band(uint8_t, std::string_view) {}

  // From now on lines may be of side-band (gitprotocol-common): one whose first byte is 1, 2 or 3 goes to
  // take_band() in the pieces that it came in, without that byte.
  void expect_bands() noexcept { may_have_bands_ = true; }
  // False: the end would cut a line.
  bool between_lines() const noexcept { return walker_.between_lines() && gathered_.empty(); }
  void complain(GitFault fault, std::string_view words) { complaint_.say(fault, words); }
  // What band 3 says may come in pieces.
  void complain_of_band_3(std::string_view words);

 private:
  PktWalker::Saw next(std::string_view& in);
  bool is_of_band() noexcept;
  void complain_of_special();
  bool is_of_no_use() const noexcept { return complaint_ && complaint_.fault != GitFault::sideband; }

  const std::string_view what_;
  PktWalker walker_;
  std::string gathered_;  // of a line that came in pieces
  std::string_view line_;
  bool was_given_ = false;
  bool may_have_bands_ = false;
  uint8_t band_ = 0;  // of the line; 0: it is text
  Complaint complaint_;
};

// Takes what stands before the first `separator` off the front of `text`, and the separator; or all of it.
std::string_view take_word(std::string_view& text, char separator = ' ') noexcept;

}  // namespace breakwater::storm
