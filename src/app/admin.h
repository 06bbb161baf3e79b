// The admin listener: /metrics and /healthz on an address of its own, served by a thread of its own with
// blocking sockets, so that asking never disturbs a core.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <thread>

#include "ring/address.h"

namespace breakwater::app {

class Admin {
 public:
  // `metrics` makes the text of /metrics; called on the admin thread.
  explicit Admin(std::function<std::string()> metrics) : metrics_(std::move(metrics)) {}
  ~Admin();
  Admin(const Admin&) = delete;
  Admin& operator=(const Admin&) = delete;

  // Binds `address` (it gets the port given for port 0). False: `why` says why not.
  bool open(Address& address, std::string& why);
  void start();
  void set_draining() noexcept { draining_.store(true); }  // /healthz answers 503 from now on

 private:
  void run();
  void serve(int fd);

  std::function<std::string()> metrics_;
  int fd_ = -1;
  std::atomic<bool> stopping_{false};
  std::atomic<bool> draining_{false};
  std::thread thread_;
};

}  // namespace breakwater::app
