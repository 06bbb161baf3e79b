// The admin listener: views and verbs for operators on an address of its own, or on a unix socket, served by
// a thread of its own with blocking sockets, so that asking never disturbs a core. One request at a time.
#pragma once

#include <functional>
#include <string>
#include <thread>

#include "app/admin_http.h"
#include "app/socket_file.h"
#include "ring/address.h"

namespace breakwater::app {

class Admin {
 public:
  using Handler = std::function<AdminAnswer(const AdminRequest&)>;

  // `handler` is called on the admin thread.
  explicit Admin(Handler handler) : handler_(std::move(handler)) {}
  ~Admin();
  Admin(const Admin&) = delete;
  Admin& operator=(const Admin&) = delete;

  // Binds `address` (it gets the port given for port 0). False: `why` says why not.
  bool open(Address& address, std::string& why);
  void start();

 private:
  // `why` is the system's reason.
  bool listen_at(const Address& address, std::string& why);
  bool bind(const Address& address, std::string& why);
  void run();
  void serve(int fd, const Address& peer);

  Handler handler_;
  int fd_ = -1;
  int stop_event_ = -1;  // readable from the moment when the thread is to end
  bool may_change_ = false;
  SocketFile file_;
  std::thread thread_;
};

}  // namespace breakwater::app
