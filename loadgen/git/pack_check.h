// Checks a pack as it streams (gitformat-pack), without keeping it: its header, its trailing hash over all
// that came before, and whether the commit or tag that was asked for is in it.
//
// The hash is all that is done to most of it. For what was asked for, the beginning is kept until it was
// found there: Git writes the tips first. Memory: this object, and `window_bytes` until then.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "git/digest.h"
#include "git/fault.h"

namespace breakwater::storm {

class PackCheck {
 public:
  static constexpr size_t window_bytes = 16 * 1024;
  // A commit or a tag that is longer, once unpacked, is not looked at.
  static constexpr size_t tip_bytes_max = 64 * 1024;

  enum class Tip : uint8_t {
    not_wanted,
    seen,
    undecided,  // not at the beginning, or perhaps a delta, or too long
    absent,     // the whole pack was looked at
  };

  explicit PackCheck(HashKind kind = HashKind::sha1) noexcept : kind_(kind), digest_(kind) {}
  // Before the first byte. Not for what the client has already, as when it deepens its history: a pack is
  // without it then, and may have no objects at all.
  void want(const ObjectId& tip) { tip_ = tip; }

  bool take(std::string_view bytes);  // false: complaint()
  void end();                         // there is no more of it
  const Complaint& complaint() const noexcept { return complaint_; }

  bool has_begun() const noexcept { return bytes_ > 0; }
  uint64_t bytes() const noexcept { return bytes_; }
  uint32_t objects() const noexcept { return objects_; }  // as the header says
  Tip tip() const noexcept { return found_; }

 private:
  // The beginning of the pack behind its header.
  struct Window {
    std::string bytes;
    size_t look_at_bytes = 1024;  // with so many the next look is worth it
    size_t done_bytes = 0;        // of whole objects
    uint32_t done_objects = 0;
    bool saw_unnamed = false;  // of which it is not known whether they are the tip
  };
  void complain(std::string_view words) { complaint_.say(GitFault::corrupt, words); }
  bool take_header(std::string_view bytes);
  void hash(std::string_view bytes) noexcept;
  void look(std::string_view bytes, bool is_all);

  HashKind kind_;
  Digest digest_;
  ObjectId tip_;
  Tip found_ = Tip::not_wanted;
  uint64_t bytes_ = 0;
  uint32_t objects_ = 0;
  static constexpr size_t header_bytes = 12;
  std::array<char, header_bytes> header_{};
  std::array<char, hash_bytes_max> tail_{};  // the last bytes so far: the trailing hash, if no more come
  size_t tail_bytes_ = 0;
  std::unique_ptr<Window> window_;  // while the tip is looked for
  Complaint complaint_;
};

}  // namespace breakwater::storm
