// bench_origin: the server behind the proxies in bench/compare. It costs as little as a server can, so that
// what is measured is the proxy: one thread, epoll, answers from memory that was laid out once, request
// bodies dropped unread.
//
//   bench_origin [--listen ADDRESS:PORT]     prints "listening on ADDRESS:PORT" and serves until it is killed
//
//   /plain/BYTES            BYTES with a Content-Length
//   /chunked/SIZE/BYTES     BYTES in chunks of SIZE; to HTTP/1.0 without chunks, until the connection ends
//   /small                  1 KiB that begins as an info/refs answer does: its service, and one line
//   anything else           an answer of a few bytes
//
// A request's body, if it has one, is drained before the answer.
#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "message.h"
#include "sockets.h"

namespace breakwater::bench {
namespace {

// A slot for each file descriptor, so a bound on those.
constexpr size_t connections_max = 65536;
constexpr uint32_t listener_id = ~uint32_t{0};
constexpr size_t small_bytes = 1024;

struct Connection {
  Incoming request;
  Outgoing answer;
  bool closes = false;         // after this answer
  bool waits_to_send = false;  // what epoll was told
};

// The next part of a path, up to its slash.
std::string_view next_part(std::string_view& path) {
  if (path.starts_with('/')) path.remove_prefix(1);
  const std::string_view part = path.substr(0, path.find_first_of("/? "));
  path.remove_prefix(part.size());
  return part;
}

// 0 if it is no number.
uint64_t next_number(std::string_view& path) {
  const std::string_view part = next_part(path);
  uint64_t number = 0;
  std::from_chars(part.data(), part.data() + part.size(), number);
  return number;
}

std::string head(std::string_view type, std::string_view framing, bool closes) {
  return fmt::format(
      "HTTP/1.1 200 OK\r\nServer: origin\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\nContent-Type: "
      "application/x-git-{}\r\n"
      "Cache-Control: no-cache, max-age=0, must-revalidate\r\n{}{}\r\n",
      type, framing, closes ? "Connection: close\r\n" : "");
}

void start_answer(Connection& connection) {
  const std::string_view line = connection.request.start_line();
  const bool is_old = line.ends_with(" HTTP/1.0");
  const auto wish = connection.request.field("connection:");
  connection.closes = is_old || (wish && *wish == "close");
  std::string_view path = line.substr(std::min(line.find(' ') + 1, line.size()));
  const std::string_view kind = next_part(path);
  if (kind == "plain") {
    const uint64_t bytes = next_number(path);
    connection.answer.start_with_length(
        head("upload-pack-result", fmt::format("Content-Length: {}\r\n", bytes), connection.closes), bytes);
  } else if (kind == "chunked") {
    const uint64_t chunk = next_number(path);
    const uint64_t bytes = next_number(path);
    if (is_old) {
      connection.answer.start_with_length(head("upload-pack-result", "", true), bytes);
    } else {
      connection.answer.start_chunked(
          head("upload-pack-result", "Transfer-Encoding: chunked\r\n", connection.closes),
          std::max<uint64_t>(chunk, 1), bytes);
    }
  } else if (kind == "small") {
    constexpr std::string_view service = "001e# service=git-upload-pack\n0000";
    const std::string first = fmt::format("{}{:04x}", service, small_bytes - service.size());
    connection.answer.start_with_length(
        head("upload-pack-advertisement", fmt::format("Content-Length: {}\r\n", small_bytes),
             connection.closes) +
            first,
        small_bytes - first.size());
  } else {
    connection.answer.start_with_length(
        head("receive-pack-result", "Content-Length: 4\r\n", connection.closes), 4);
  }
}

class Origin {
 public:
  explicit Origin(int listener) : listener_(listener), epoll_(new_epoll()), connections_(connections_max) {
    watch(epoll_, listener_, listener_id, EPOLLIN);
  }

  [[noreturn]] void serve() {
    std::array<epoll_event, 256> events;
    while (true) {
      const int count = epoll_wait(epoll_, events.data(), int(events.size()), -1);
      for (int i = 0; i < count; ++i) {
        const uint32_t id = events[size_t(i)].data.u32;
        if (id == listener_id) {
          accept_all();
        } else {
          advance(int(id));
        }
      }
    }
  }

 private:
  void accept_all() {
    while (true) {
      const int fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0) return;
      if (size_t(fd) >= connections_max) give_up("too many connections");
      connections_[size_t(fd)] = std::make_unique<Connection>();
      watch(epoll_, fd, uint32_t(fd), EPOLLIN);
      advance(fd);
    }
  }

  void close_connection(int fd) {
    connections_[size_t(fd)].reset();
    close(fd);
  }

  // Goes as far as the socket lets it: reads a request, sends its answer.
  void advance(int fd) {
    Connection& connection = *connections_[size_t(fd)];
    PlainChannel channel(fd);
    if (!connection.answer.busy()) {
      const Progress progress = connection.request.read(channel);
      if (progress == Progress::more) return;
      if (progress != Progress::done) return close_connection(fd);
      start_answer(connection);
    }
    const Progress progress = connection.answer.send(channel);
    if (progress == Progress::broken) return close_connection(fd);
    if (progress == Progress::done) {
      if (connection.closes) return close_connection(fd);
      connection.request.restart();
    }
    const bool waits_to_send = progress == Progress::more;
    if (waits_to_send != connection.waits_to_send) {
      connection.waits_to_send = waits_to_send;
      rewatch(epoll_, fd, uint32_t(fd), waits_to_send ? EPOLLOUT : EPOLLIN);
    }
  }

  const int listener_;
  const int epoll_;
  std::vector<std::unique_ptr<Connection>> connections_;
};

int run(int argc, char** argv) {
  std::string address = "127.0.0.1:0";
  if (argc == 3 && std::string_view(argv[1]) == "--listen") {
    address = argv[2];
  } else if (argc != 1) {
    give_up("the only argument is --listen ADDRESS:PORT");
  }
  const int listener = listen_on(parse_address(address));
  std::printf("listening on %s:%u\n", address.substr(0, address.find(':')).c_str(),
              unsigned(port_of(listener)));
  std::fflush(stdout);
  Origin(listener).serve();
}

}  // namespace
}  // namespace breakwater::bench

int main(int argc, char** argv) {
  return breakwater::bench::run(argc, argv);
}
