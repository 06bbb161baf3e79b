// The file of a listening unix socket: made for its owner alone, and removed at the end if it is still ours.
#pragma once

#include <sys/types.h>

#include <string>

#include "ring/address.h"

namespace breakwater::app {

class SocketFile {
 public:
  SocketFile() = default;
  ~SocketFile() { remove(); }
  SocketFile(const SocketFile&) = delete;
  SocketFile& operator=(const SocketFile&) = delete;

  // Binds `fd`. The file of a socket that nobody listens on any more is replaced, and that of a Breakwater
  // that drains, so that the next one need not wait for its last transfer; anything else that is there stays,
  // and `why` says what it is. Waits two seconds at most.
  bool bind(int fd, const Address& address, std::string& why);
  // To be called while `fd` is open: until then no other file can have the same number.
  void remove() noexcept;

 private:
  std::string path_;  // empty: there is none
  dev_t device_ = 0;
  ino_t number_ = 0;
};

}  // namespace breakwater::app
