// What a client keeps of a connection to come back with: a ticket, and the secret that goes with it. Wiped
// when it goes.
#pragma once

#include <utility>

#include "tls/wolfssl.h"

namespace breakwater::tls {

class Session {
 public:
  Session() = default;
  // Takes it over; null: empty.
  explicit Session(WOLFSSL_SESSION* session) noexcept : session_(session) {}
  ~Session() { wolfSSL_SESSION_free(session_); }
  Session(Session&& other) noexcept : session_(std::exchange(other.session_, nullptr)) {}
  Session& operator=(Session&& other) noexcept {
    std::swap(session_, other.session_);
    return *this;
  }
  explicit operator bool() const noexcept { return session_ != nullptr; }
  WOLFSSL_SESSION* get() const noexcept { return session_; }

 private:
  WOLFSSL_SESSION* session_ = nullptr;
};

}  // namespace breakwater::tls
