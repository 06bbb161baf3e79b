// How far an upload-pack answer is: has anything of the pack passed, or only Git's progress messages? As long
// as the latter holds, another server can make the pack, and go on in the same answer (gitprotocol-pack(5),
// gitprotocol-v2(5)): progress is sideband 2 and no content, nor are the empty packets of sideband 1 by which
// Git keeps a quiet connection alive.
//
// What stands before the sidebands (acknowledgments, shallow commits, "NAK" or "packfile") is content. It is
// the same on every server that has the same objects, and a hash tells whether it is. Pure; no allocation.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/fnv.h"
#include "wire/upload_pack.h"

namespace breakwater::wire {

// What passed of the part before the sidebands.
struct PackOpening {
  size_t bytes = 0;
  uint64_t hash = fnv_begin;  // of these
  bool whole = false;
};

class PackProgress {
 public:
  // What the answer has shown so far.
  enum class Stage : uint8_t {
    opening,   // no sideband has begun
    progress,  // nothing but progress behind that
    failed,    // Git says so: sideband 3 or ERR, and nothing of a pack before it
    differs,   // its opening is not the one that the client has
    beyond,    // a pack has begun, or it is something else; look() is no longer of use
  };
  // `said`: what the client has of it, by another server.
  void start(UploadPackAnswer answer, const PackOpening& said = {}) noexcept;
  // The next bytes of the answer, in pieces of any size. Returns how many of them stand before the line by
  // which Git says that it failed: all of them, where there is none.
  size_t look(std::string_view bytes) noexcept;
  Stage stage() const noexcept { return stage_; }
  bool follows() const noexcept { return stage_ == Stage::opening || stage_ == Stage::progress; }
  const PackOpening& opening() const noexcept { return opening_; }

  // Writes what makes a whole packet of progress of the line that was cut, if one was, so that another
  // server's words may follow. Nothing if that is not possible: a pack has begun, or `out` is too small. An
  // opening that was cut goes on where it was, by what another server's has there.
  std::optional<size_t> end_open_line(std::span<char> out) const noexcept;

 private:
  void leave() noexcept;
  void take(char byte) noexcept;
  void take_length() noexcept;
  void take_band(char band) noexcept;
  void end_line_of_opening() noexcept;
  void note_opening(std::string_view bytes) noexcept;

  static constexpr size_t length_digits = 4;
  static constexpr size_t empty_packet_bytes = 5;  // digits and band
  static constexpr size_t lead_bytes_max = 8;      // digits, and enough to know a line of the opening by

  Stage stage_ = Stage::beyond;
  bool is_v2_ = false;
  PackOpening said_;
  PackOpening opening_;
  std::array<char, lead_bytes_max> lead_;
  size_t lead_bytes_ = 0;  // that passed of the open line: digits, then what tells its kind
  size_t line_bytes_ = 0;  // of the open line, once its digits are there
  size_t left_ = 0;        // of it, behind the lead
};

}  // namespace breakwater::wire
