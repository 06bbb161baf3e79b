// Reads what a server says first: the body of GET info/refs (gitprotocol-http, gitprotocol-pack,
// gitprotocol-v2), as it comes, in pieces of any size. Keeps no refs: each is told to whoever wants it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "git/object_id.h"
#include "git/text_lines.h"

namespace breakwater::storm {

// A ref as servers tell of it. Of an annotated tag `peeled` is what it points to; a protocol before v2 says
// that by a ref of its own behind it, "refs/tags/v1^{}".
struct Ref {
  ObjectId id;
  std::string_view name;
  ObjectId peeled;                 // zero: not told
  std::string_view symref_target;  // HEAD's "refs/heads/main"; empty: not told here
};
using OnRef = void (*)(void* context, const Ref& ref);

// Capabilities, one after another with a line feed behind each: "agent=git/2.39.5\nfetch=shallow\n".
class Capabilities {
 public:
  static constexpr size_t bytes_max = 4096;
  bool add(std::string_view capability);  // false: too many
  bool has(std::string_view name) const noexcept { return find(name).data() != nullptr; }
  // Behind its "=": empty if there is none. With a null data() if the capability is not there.
  std::string_view find(std::string_view name) const noexcept;
  // In v2 a command's features: has_feature("fetch", "filter").
  bool has_feature(std::string_view command, std::string_view feature) const noexcept;
  // By "symref=HEAD:..."; empty if it is not told.
  std::string_view head_target() const noexcept;

 private:
  std::string all_;
};

class AdvertisementReader : public TextLines {
 public:
  AdvertisementReader(OnRef on_ref, void* context) noexcept
      : TextLines("an advertisement"), on_ref_(on_ref), context_(context) {}

  // The body ended.
  void end();

  bool is_complete() const noexcept { return state_ == State::complete && !complaint(); }
  uint8_t version() const noexcept { return version_; }
  const Capabilities& capabilities() const noexcept { return capabilities_; }
  HashKind hash() const noexcept {
    return capabilities_.find("object-format") == "sha256" ? HashKind::sha256 : HashKind::sha1;
  }
  uint32_t refs() const noexcept { return refs_; }

 private:
  enum class State : uint8_t {
    first,            // a line that says what it is
    behind_prologue,  // the flush behind "# service=..."
    behind_version,   // "version 1" came
    refs,
    capabilities,  // of v2
    complete,
  };
  void take_line(std::string_view line) override;
  void take_first(std::string_view line);
  void take_ref(std::string_view line);
  void take_capabilities(std::string_view list);
  void take_flush() override;
  void complain(std::string_view words) { TextLines::complain(GitFault::not_git, words); }

  OnRef on_ref_;
  void* context_;
  State state_ = State::first;
  uint8_t version_ = 0;
  bool has_prologue_ = false;
  uint32_t refs_ = 0;
  Capabilities capabilities_;
};

}  // namespace breakwater::storm
