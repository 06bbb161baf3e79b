// Expected failures as values: what failed, on which side, with which errno.
//
// Error is 8 bytes and trivially copyable; Result<T> is std::expected. The data plane throws nothing.
#pragma once

#include <cstdint>
#include <expected>
#include <string_view>

namespace breakwater {

// Which peer a failure belongs to. `internal` is our own trouble (no buffer, no descriptor, stopping).
enum class Side : uint8_t { internal, downstream, upstream };

enum class Code : uint8_t {
  none,
  closed,          // the peer ended the connection in an orderly way (FIN)
  reset,           // the connection broke: reset, broken pipe, any other socket error; see sys_errno
  refused,         // connect failed
  timed_out,       // a named timeout fired
  malformed,       // the peer's bytes break the protocol
  too_large,       // a configured limit was passed
  truncated,       // the peer ended in the middle of a message
  no_buffers,      // our own bound was reached
  no_descriptors,  // our own bound was reached
  failed,          // the peer says itself that it failed, in its protocol
  differs,         // the peer says something else than what was said before it
  cancelled,       // we asked for it: shutting down, or the other direction failed first
};

struct Error {
  Code code = Code::none;
  Side side = Side::internal;
  int32_t sys_errno = 0;  // 0 when no system call was involved
};
static_assert(sizeof(Error) == 8);

template <typename T>
using Result = std::expected<T, Error>;

std::string_view name(Side side) noexcept;
std::string_view name(Code code) noexcept;

}  // namespace breakwater
