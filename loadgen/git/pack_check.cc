#include "git/pack_check.h"

#include <cstring>

#include "git/pack_objects.h"

namespace breakwater::storm {

namespace {

constexpr ObjectType tips[] = {ObjectType::commit, ObjectType::tag};

uint32_t big_endian(const char* at) noexcept {
  uint32_t value = 0;
  for (int i = 0; i < 4; ++i) value = value << 8 | static_cast<uint8_t>(at[i]);
  return value;
}

}  // namespace

bool PackCheck::take(std::string_view bytes) {
  if (complaint_) return false;
  if (bytes.empty()) return true;
  hash(bytes);
  const uint64_t before = bytes_;
  bytes_ += bytes.size();
  if (before < header_bytes) {
    const size_t missing = header_bytes - static_cast<size_t>(before);
    const std::string_view part = bytes.substr(0, missing);
    std::memcpy(header_.data() + before, part.data(), part.size());
    bytes.remove_prefix(part.size());
    if (bytes_ < header_bytes) return true;
    if (!take_header({header_.data(), header_bytes})) return false;
  }
  if (window_) look(bytes, false);
  return true;
}

bool PackCheck::take_header(std::string_view bytes) {
  const uint32_t version = big_endian(bytes.data() + 4);
  objects_ = big_endian(bytes.data() + 8);
  if (!bytes.starts_with("PACK"))
    complain("a pack that does not begin with PACK");
  else if (version != 2 && version != 3)
    complain("a pack of version " + std::to_string(version));
  if (!complaint_ && !tip_.is_zero()) {
    found_ = Tip::undecided;
    window_ = std::make_unique<Window>();
    window_->bytes.reserve(window_bytes);  // a string that grows takes twice as much
  }
  return !complaint_;
}

// All but the last bytes, which may be the trailing hash.
void PackCheck::hash(std::string_view bytes) noexcept {
  const size_t size = bytes_of(kind_);
  if (bytes.size() >= size) {
    digest_.add({tail_.data(), tail_bytes_});
    digest_.add(bytes.substr(0, bytes.size() - size));
    std::memcpy(tail_.data(), bytes.data() + bytes.size() - size, size);
    tail_bytes_ = size;
    return;
  }
  const size_t all = tail_bytes_ + bytes.size();
  const size_t leaving = all > size ? all - size : 0;
  digest_.add({tail_.data(), leaving});
  std::memmove(tail_.data(), tail_.data() + leaving, tail_bytes_ - leaving);
  std::memcpy(tail_.data() + tail_bytes_ - leaving, bytes.data(), bytes.size());
  tail_bytes_ = all - leaving;
}

// Looks for the tip among the objects that are there whole.
void PackCheck::look(std::string_view bytes, bool is_all) {
  Window& window = *window_;
  window.bytes += bytes.substr(0, window_bytes - window.bytes.size());
  const bool is_full = window.bytes.size() == window_bytes;
  if (window.bytes.size() < window.look_at_bytes && !is_full && !is_all) return;
  window.look_at_bytes = window.bytes.size() * 4;
  while (found_ == Tip::undecided && window.done_objects < objects_) {
    const std::string_view rest = std::string_view(window.bytes).substr(window.done_bytes);
    const PackedObject object = read_packed_object(rest, kind_, tips, tip_bytes_max);
    if (object.bytes == 0) break;
    window.done_bytes += object.bytes;
    window.done_objects++;
    window.saw_unnamed = window.saw_unnamed || object.is_delta() || object.is_too_large;
    if (object.has_content &&
        id_of(name(static_cast<ObjectType>(object.type)), object.content, kind_) == tip_)
      found_ = Tip::seen;
  }
  const bool saw_all = window.done_objects == objects_ && !window.saw_unnamed;
  if (found_ == Tip::undecided && saw_all) found_ = Tip::absent;
  if (found_ != Tip::undecided || is_full || is_all) window_.reset();
}

void PackCheck::end() {
  if (complaint_) return;
  if (bytes_ < header_bytes + bytes_of(kind_))
    return complaint_.say(GitFault::truncated, "the pack ends in its first bytes");
  if (window_) look({}, true);
  ObjectId told;
  told.kind = kind_;
  std::memcpy(told.raw.data(), tail_.data(), tail_bytes_);
  if (digest_.finish() != told) return complain("the hash at the pack's end is not that of the pack");
  if (found_ == Tip::absent) complain("the pack is without what was asked for");
}

}  // namespace breakwater::storm
