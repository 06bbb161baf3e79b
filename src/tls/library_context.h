// A context of the library's, and the steps that fill one; for the sources of this folder.
#pragma once

#include <string>
#include <string_view>

#include "tls/context.h"
#include "tls/wolfssl.h"

namespace breakwater::tls {

// Owns it. The library counts its connections, so it lives on inside until the last of them is gone.
class LibraryContext {
 public:
  // Null if there is no memory.
  static LibraryContext server() noexcept;
  static LibraryContext client(Version maximum) noexcept;
  ~LibraryContext() { wolfSSL_CTX_free(context_); }
  LibraryContext(LibraryContext&& other) noexcept : context_(std::exchange(other.context_, nullptr)) {}
  LibraryContext& operator=(LibraryContext&&) = delete;

  WOLFSSL_CTX* get() const noexcept { return context_; }
  WOLFSSL_CTX* release() noexcept { return std::exchange(context_, nullptr); }

  // Each adds to `errors` what it can't do.
  void set_up(Version minimum,
              Errors& errors);  // versions, suites, curves, and how the engine reads and writes
  void use(const Pair& pair, Errors& errors);
  void trust(const Authorities& authorities, Errors& errors);

 private:
  explicit LibraryContext(WOLFSSL_METHOD* method) noexcept;
  WOLFSSL_CTX* context_ = nullptr;
};

}  // namespace breakwater::tls
