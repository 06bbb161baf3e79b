// How far an upload-pack answer is: has anything of the pack passed, or only Git's progress messages? As long
// as the latter holds, another server can make the pack, and go on in the same answer (gitprotocol-pack(5),
// gitprotocol-v2(5)): progress is sideband 2 and no content, nor are the empty packets of sideband 1 by which
// Git keeps a quiet connection alive.
//
// That is only so for answers that begin in the one way that is the same on every server: "NAK", or
// "packfile" of protocol v2, and at once the packets of the sidebands; thus not for those that acknowledge,
// or speak of shallow commits. Pure; no allocation.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "wire/upload_pack.h"

namespace breakwater::wire {

class PackProgress {
 public:
  // What the answer has shown so far.
  enum class Stage : uint8_t {
    opening,   // its first line is not there whole
    progress,  // nothing but progress behind that
    failed,    // Git says so: sideband 3 or ERR, and nothing of a pack before it
    beyond,    // a pack has begun, or it is something else; look() is no longer of use
  };

  void start(UploadPackAnswer answer) noexcept;
  // The next bytes of the answer, in pieces of any size. Returns how many of them stand before the line by
  // which Git says that it failed: all of them, where there is none.
  size_t look(std::string_view bytes) noexcept;
  Stage stage() const noexcept { return stage_; }
  bool follows() const noexcept { return stage_ == Stage::opening || stage_ == Stage::progress; }

  // Bytes of the first line that have passed; all its bytes, once it is over.
  size_t opening_bytes() const noexcept { return opening_at_; }
  std::string_view opening() const noexcept { return opening_; }
  // Writes what makes a whole packet of progress of the line that was cut, if one was; so nothing is said
  // that the server had not begun to say. Nothing if that is not possible: within the opening, or `out` is
  // too small.
  std::optional<size_t> end_open_line(std::span<char> out) const noexcept;

 private:
  void take(char byte) noexcept;
  void take_band(char band) noexcept;

  static constexpr size_t length_digits = 4;

  Stage stage_ = Stage::beyond;
  std::string_view opening_;
  size_t opening_at_ = 0;
  std::array<char, length_digits> digits_;
  size_t lead_bytes_ = 0;  // that passed of the open line: digits, then the band
  size_t line_bytes_ = 0;  // of the open line, once its digits are there
  size_t left_ = 0;        // of it, behind the band
};

}  // namespace breakwater::wire
