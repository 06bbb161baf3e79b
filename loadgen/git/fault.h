// What is wrong with what a Git server said.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace breakwater::storm {

enum class GitFault : uint8_t {
  none,
  error,      // an `ERR` line
  sideband,   // a message on band 3
  refused,    // a push that was not taken: `ng`, or `unpack` with something else than ok
  not_git,    // nothing that Git's protocol has
  truncated,  // the end came before the end
  corrupt,    // a pack that is not what it says it is
};

// With the first words of it, for a report: bounded, and without control bytes.
struct Complaint {
  static constexpr size_t text_bytes_max = 200;
  GitFault fault = GitFault::none;
  std::string text;

  explicit operator bool() const noexcept { return fault != GitFault::none; }
  // The first one stays; go_on() adds to the text of one that comes in pieces.
  void say(GitFault what, std::string_view words);
  void go_on(std::string_view words);
};

}  // namespace breakwater::storm
