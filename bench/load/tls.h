// TLS of the load client: plain wolfSSL, and nothing of Breakwater's own, so that it favours nobody. One
// version, one suite, one group, because proxies are compared that should all do the same work.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "channel.h"

struct WOLFSSL;
struct WOLFSSL_CTX;
struct WOLFSSL_SESSION;

namespace breakwater::bench {

struct TlsOptions {
  bool on = false;
  bool resume = false;
  bool insecure = false;    // anybody may be the server
  bool is_old = false;      // TLS 1.2 instead of 1.3
  std::string authorities;  // a PEM file of those who may sign, unless `insecure`
  std::string server_name = "git.example";
  std::string suite = "TLS_AES_128_GCM_SHA256";
  std::string group = "X25519";
};

struct SessionFree {
  void operator()(WOLFSSL_SESSION* session) const noexcept;
};
using TlsSession = std::unique_ptr<WOLFSSL_SESSION, SessionFree>;

// What all connections share, and what they came to.
class Tls {
 public:
  // Ends the program with a sentence if the library does not take the options.
  explicit Tls(const TlsOptions& options);
  ~Tls();
  Tls(const Tls&) = delete;
  Tls& operator=(const Tls&) = delete;

  const TlsOptions& options() const noexcept { return options_; }
  uint64_t handshakes() const noexcept { return handshakes_; }
  uint64_t resumed() const noexcept { return resumed_; }
  // Of the last handshake.
  const std::string& agreed() const noexcept { return agreed_; }

 private:
  friend class TlsChannel;
  void count(WOLFSSL* connection);

  const TlsOptions options_;
  WOLFSSL_CTX* context_ = nullptr;
  uint64_t handshakes_ = 0;
  uint64_t resumed_ = 0;
  std::string agreed_;
};

class TlsChannel final : public Channel {
 public:
  // The handshake begins with the first send(), which may come before the socket is connected. `session` may
  // be null.
  TlsChannel(Tls& tls, int fd, WOLFSSL_SESSION* session);

  ssize_t send(std::span<const iovec> parts) noexcept override;
  ssize_t receive(char* buffer, size_t bytes) noexcept override;
  ssize_t drop(size_t bytes) noexcept override;
  bool holds_data() const noexcept override;
  bool waits_to_send(bool busy) const noexcept override;
  bool speaks() noexcept override;
  bool at_end() noexcept override;
  Trouble trouble() const noexcept override;

  // To come back with; with TLS 1.3 it came with the first answer. Null if there is none.
  TlsSession session() const noexcept;

 private:
  struct Free {
    void operator()(WOLFSSL* connection) const noexcept;
  };
  // Whatever reads from the socket does it within one of these.
  class Turn;
  static int read_for_library(WOLFSSL*, char* buffer, int bytes, void* channel) noexcept;
  static int write_for_library(WOLFSSL*, char* bytes, int count, void* channel) noexcept;

  bool shake_hands() noexcept;
  bool flush() noexcept;
  ssize_t take(char* buffer, size_t bytes) noexcept;
  bool fill() noexcept;
  size_t first_record_bytes() const noexcept;
  ssize_t fail() noexcept;

  Tls& tls_;
  const int fd_;
  std::unique_ptr<WOLFSSL, Free> library_;
  std::string unsent_;  // records that the socket has not taken yet, from `sent_` on
  size_t sent_ = 0;
  std::string_view in_;      // what came and the library has not taken; begins with a record unless in one
  std::string rest_;         // the same, between turns
  size_t record_left_ = 0;   // of a record that is all in `in_`, and which the library is reading
  unsigned fills_left_ = 0;  // of this turn
  bool established_ = false;
  bool said_good_bye_ = false;  // the server: a close_notify came
  bool ended_ = false;          // the server's end of the socket
  bool reset_ = false;          // which was an error's
  bool failed_ = false;
};

}  // namespace breakwater::bench
