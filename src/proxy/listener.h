// Listener: accepts client connections of one configured listen on one core and starts a session for each.
//
// Multishot accept on a SO_REUSEPORT socket of this core's own. At the connection limit new clients get a
// 503; with no descriptors left accepting pauses (clients wait in the kernel's backlog) until something is
// closed.
#pragma once

#include "core/core.h"
#include "proxy/worker.h"

namespace breakwater::proxy {

class Listener {
 public:
  // Takes over `fd`, a listening socket.
  Listener(Worker& worker, const Site& site, int fd) noexcept;
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  void start() noexcept;
  void stop() noexcept;  // accepts no more; the socket closes with the accept's last completion

 private:
  static void on_accept(Op& op);
  static void on_resume(void* context);
  void admit(int fd) noexcept;
  void close_socket() noexcept;

  Worker& worker_;
  const Site& site_;
  int fd_;
  bool stopped_ = false;
  Op accept_;
  Timer resume_;
};

}  // namespace breakwater::proxy
