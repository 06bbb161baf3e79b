// A server that plays a script: a thread that accepts connections one after the other and runs, for each, the
// step that is next. What it read is kept.
#pragma once

#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "ring/address.h"
#include "ring/sys.h"

namespace breakwater::storm {

// The server's end of one connection. All calls wait.
class Peer {
 public:
  explicit Peer(int fd) : fd_(fd) {}
  ~Peer() { ::close(fd_); }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  // Reads until the blank line of a head, and no further than came with it. Empty at the end.
  std::string read_head() {
    while (unread_.find("\r\n\r\n") == std::string::npos)
      if (!read_more()) return {};
    const size_t end = unread_.find("\r\n\r\n") + 4;
    std::string head = unread_.substr(0, end);
    unread_.erase(0, end);
    return head;
  }
  std::string read(size_t bytes) {
    while (unread_.size() < bytes)
      if (!read_more()) break;
    std::string data = unread_.substr(0, bytes);
    unread_.erase(0, data.size());
    return data;
  }
  // True when the other side has ended or broken the connection.
  bool read_end() {
    while (read_more()) unread_.clear();
    return true;
  }
  // False: the other side is gone.
  bool write(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
    return true;
  }
  // As much as is taken at once: bytes, and it does not wait.
  size_t write_now(std::string_view bytes) {
    const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    return sent < 0 ? 0 : static_cast<size_t>(sent);
  }
  void answer(std::string_view status, std::string_view body, std::string_view fields = "") {
    write("HTTP/1.1 " + std::string(status) + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
          std::string(fields) + "\r\n" + std::string(body));
  }
  void reset_on_close() { sys::reset_on_close(fd_); }
  int fd() const { return fd_; }

 private:
  bool read_more() {
    char room[65536];
    const ssize_t got = ::recv(fd_, room, sizeof room, 0);
    if (got <= 0) return false;
    unread_.append(room, static_cast<size_t>(got));
    return true;
  }
  int fd_;
  std::string unread_;
};

class ScriptedServer {
 public:
  using Step = std::function<void(Peer&)>;

  explicit ScriptedServer(std::vector<Step> steps) : steps_(std::move(steps)) {
    address.v4.sin_family = AF_INET;
    address.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.bytes = sizeof address.v4;
    listener_ = sys::listen_on(address, 16, false);
    REQUIRE(listener_ >= 0);
    thread_ = std::thread([this] { play(); });
  }
  ~ScriptedServer() {
    end();
    ::close(listener_);
  }
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  // Waits for the script's end, which the connections' ends must bring about. What its steps wrote may be
  // read from then on.
  void end() {
    ::shutdown(listener_, SHUT_RDWR);
    if (thread_.joinable()) thread_.join();
  }

  Address address;

 private:
  void play() {
    for (const Step& step : steps_) {
      const int fd = ::accept(listener_, nullptr, nullptr);
      if (fd < 0) return;
      Peer peer(fd);
      step(peer);
    }
  }
  std::vector<Step> steps_;
  int listener_ = -1;
  std::thread thread_;
};

}  // namespace breakwater::storm
