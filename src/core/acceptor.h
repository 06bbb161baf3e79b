// Acceptor: takes connections from a listening socket, one multishot accept, and hands each to whoever owns
// it. Where no descriptors are left it pauses, and clients wait in the kernel's queue until something is
// closed.
#pragma once

#include "core/core.h"

namespace breakwater {

class Acceptor {
 public:
  // `fd` is the new connection's owner's from then on; the address is not known yet.
  using Admit = void (*)(void* context, int fd);

  // Takes over `fd`, a listening socket.
  Acceptor(Core& core, int fd, Admit admit, void* context) noexcept;
  ~Acceptor();
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

  void start() noexcept;
  // Accepts no more; the socket closes with the accept's last completion. What the kernel had accepted by
  // then is admitted still: is_stopped() says that it is late.
  void stop() noexcept;
  bool is_stopped() const noexcept { return stopped_; }

 private:
  static void on_accept(Op& op);
  void close_socket() noexcept;

  Core& core_;
  int fd_;
  const Admit admit_;
  void* const context_;
  bool stopped_ = false;
  Op accept_;
  Timer resume_;
};

}  // namespace breakwater
