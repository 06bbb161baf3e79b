// Takes apart pkt-lines (gitprotocol-common) that come in pieces of any size, without keeping any of them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace breakwater::storm {

class PktWalker {
 public:
  enum class Saw : uint8_t {
    nothing,       // `in` is used up
    piece,         // of a line's payload, in piece()
    flush,         // 0000
    delimiter,     // 0001
    response_end,  // 0002
    broken,        // no pkt-line; it stays so
  };

  // Takes from the front of `in` as much as one thing has.
  Saw next(std::string_view& in) noexcept;

  // After Saw::piece: a part of a payload, which may be empty where the payload is. A line begins with the
  // one, and ends with the other; often both.
  std::string_view piece() const noexcept { return piece_; }
  bool begins() const noexcept { return begins_; }
  bool ends() const noexcept { return left_ == 0; }

  // Between two lines, where an end would cut none.
  bool between_lines() const noexcept { return digits_ == 0 && !in_payload_; }

 private:
  Saw end_of_length() noexcept;

  std::array<char, 4> length_{};
  uint8_t digits_ = 0;  // of the length, that came
  bool in_payload_ = false;
  bool began_ = false;  // a piece of this payload was given
  bool begins_ = false;
  bool broken_ = false;
  size_t left_ = 0;  // of the payload
  std::string_view piece_;
};

}  // namespace breakwater::storm
