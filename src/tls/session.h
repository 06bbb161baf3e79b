// What a client keeps of a connection to come back with: a ticket, and the secret that goes with it. Wiped
// when it goes.
#pragma once

#include <memory>
#include <utility>

#include "tls/context.h"
#include "tls/wolfssl.h"

namespace breakwater::tls {

class Session {
 public:
  Session() = default;
  // Takes it over; null: empty. `context`: by which it came to be.
  Session(WOLFSSL_SESSION* session, std::shared_ptr<const ClientContext> context) noexcept
      : session_(session), context_(std::move(context)) {}
  ~Session() { wolfSSL_SESSION_free(session_); }
  Session(Session&& other) noexcept
      : session_(std::exchange(other.session_, nullptr)), context_(std::move(other.context_)) {}
  Session& operator=(Session&& other) noexcept {
    std::swap(session_, other.session_);
    std::swap(context_, other.context_);
    return *this;
  }
  explicit operator bool() const noexcept { return session_ != nullptr; }
  WOLFSSL_SESSION* get() const noexcept { return session_; }
  const std::shared_ptr<const ClientContext>& context() const noexcept { return context_; }

 private:
  WOLFSSL_SESSION* session_ = nullptr;
  std::shared_ptr<const ClientContext> context_;
};

}  // namespace breakwater::tls
