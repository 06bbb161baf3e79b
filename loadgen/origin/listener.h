// Accepts connections on one core and starts a Session for each. At connections_max a client is reset; where
// no descriptors are left, clients wait in the kernel's queue.
#pragma once

#include "core/core.h"
#include "origin/session.h"

namespace breakwater::storm::origin {

class Listener {
 public:
  // Takes over `fd`, a listening socket.
  Listener(Worker& worker, int fd, bool is_control) noexcept;
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  void start() noexcept;
  void stop() noexcept;  // the socket closes with the accept's last completion

 private:
  static void on_accept(Op& op);
  void admit(int fd);
  void close_socket() noexcept;

  Worker& worker_;
  int fd_;
  const bool is_control_;
  bool stopped_ = false;
  Op accept_;
  Timer resume_;
};

}  // namespace breakwater::storm::origin
