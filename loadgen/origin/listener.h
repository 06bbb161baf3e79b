// Accepts connections on one core and starts a Session for each. At connections_max a client is reset.
#pragma once

#include "core/acceptor.h"
#include "origin/session.h"

namespace breakwater::storm::origin {

class Listener {
 public:
  // Takes over `fd`, a listening socket.
  Listener(Worker& worker, int fd, bool is_control) noexcept;

  void start() noexcept { acceptor_.start(); }
  void stop() noexcept { acceptor_.stop(); }

 private:
  void admit(int fd);

  Worker& worker_;
  const bool is_control_;
  Acceptor acceptor_;
};

}  // namespace breakwater::storm::origin
