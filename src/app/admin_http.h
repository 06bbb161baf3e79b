// One request on the admin listener, read and answered with blocking calls that wait for a bounded time in
// all: whoever sends or reads slowly is given up, so that the next one gets its turn.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace breakwater::app {

inline constexpr size_t admin_body_bytes_max = 4096;

struct AdminRequest {
  std::string who;          // "127.0.0.1:5000", or "uid 1000" on a unix socket
  bool may_change = false;  // it came by a way that only this machine has
  std::string method;
  std::string path;  // as sent, without the query
  std::string host;  // empty: none was named
  bool has_origin = false;
  std::string body;
};

struct AdminAnswer {
  uint16_t status = 200;
  std::string body;
  std::string_view type = "text/plain; charset=utf-8";
  std::string_view allow = {};  // of a 405
};

class AdminConnection {
 public:
  enum class Got : uint8_t { request, fault, nothing };

  // `stop_event` becomes readable when everything is to end. Neither is owned.
  AdminConnection(int fd, int stop_event) : fd_(fd), stop_event_(stop_event) {}

  // `nothing`: it left, or was too slow. `fault`: `answer` says what is wrong with the request.
  Got read(AdminRequest& request, AdminAnswer& answer);
  void send(const AdminAnswer& answer, bool with_body);

 private:
  bool wait(short events, int64_t end_ns) const;
  bool receive(size_t bytes_max, int64_t end_ns);
  bool send_all(std::string_view bytes, int64_t end_ns);
  Got read_body(uint64_t bytes, bool wants_continue, int64_t end_ns, AdminRequest& request);
  void drop_the_rest();

  int fd_;
  int stop_event_;
  std::string bytes_;    // received and not used
  bool unread_ = false;  // of the request something may still be on its way
};

}  // namespace breakwater::app
