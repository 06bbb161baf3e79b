// Why a probe failed: small enough to be read by any thread as one atomic.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

namespace breakwater::backends {

struct ProbeFailure {
  enum class Why : uint8_t {
    none,             // no probe failed yet
    no_connection,    // `number`: errno
    late_connection,  // within the probe's timeout
    late_answer,
    closed,  // before its answer was there
    broke,   // `number`: errno
    tls,     // `number`: a tls::FaultKind, whose words the reader adds
    not_http,
    too_large,  // of a head
    status,     // `number`: another than was wanted
    not_git,    // a 200 that is no advertisement
    git_error,  // one inside which Git says ERR
    git_empty,  // one that ends before the first ref
  };
  Why why = Why::none;
  uint16_t number = 0;
  bool operator==(const ProbeFailure&) const = default;
  std::string text() const;  // "no connection: Connection refused", "status 503"
};
static_assert(std::atomic<ProbeFailure>::is_always_lock_free);

}  // namespace breakwater::backends
