#include "app/admin.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "wire/http_head.h"
#include "wire/http_write.h"

namespace breakwater::app {

namespace {

constexpr timeval io_limit{.tv_sec = 5, .tv_usec = 0};
constexpr size_t head_bytes_max = 8192;

struct Page {
  uint16_t status;
  std::string type;
  std::string body;
};

void send_page(int fd, const Page& page, bool with_body) {
  std::array<char, 512> text;
  wire::HeadWriter head(text);
  head.status_line(page.status, wire::reason_phrase(page.status));
  head.field("Content-Type", page.type);
  head.field("Content-Length", page.body.size());
  head.field("Cache-Control", "no-store");
  head.field("Connection", "close");
  head.end_of_head();
  std::string message(text.data(), head.bytes());
  if (with_body) message += page.body;
  std::string_view rest = message;
  while (!rest.empty()) {
    const ssize_t sent = send(fd, rest.data(), rest.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    rest.remove_prefix(static_cast<size_t>(sent));
  }
}

}  // namespace

Admin::~Admin() {
  stopping_.store(true);
  if (fd_ >= 0) shutdown(fd_, SHUT_RDWR);  // wakes accept()
  if (thread_.joinable()) thread_.join();
  if (fd_ >= 0) close(fd_);
}

bool Admin::open(Address& address, std::string& why) {
  fd_ = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int yes = 1;
  if (fd_ >= 0) setsockopt(fd_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (fd_ < 0 || bind(fd_, &address.any, address.bytes) != 0 || listen(fd_, 64) != 0) {
    why = "the admin listener can't use " + address.text() + ": " + strerror(errno);
    return false;
  }
  address.bytes = sizeof address.v6;
  getsockname(fd_, &address.any, &address.bytes);
  return true;
}

void Admin::start() {
  thread_ = std::thread([this] { run(); });
}

void Admin::run() {
  while (!stopping_.load()) {
    const int client = accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) {
      if (stopping_.load()) return;
      poll(nullptr, 0, 10);  // no descriptors, say: try again
      continue;
    }
    setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &io_limit, sizeof io_limit);
    setsockopt(client, SOL_SOCKET, SO_SNDTIMEO, &io_limit, sizeof io_limit);
    serve(client);
    shutdown(client, SHUT_WR);
    close(client);
  }
}

void Admin::serve(int fd) {
  std::array<char, head_bytes_max> bytes;
  size_t received = 0;
  const wire::HeadLimits limits{head_bytes_max, 1024};
  wire::HeadScanner scanner(limits);
  wire::HeadScanner::State state = wire::HeadScanner::State::incomplete;
  while (state == wire::HeadScanner::State::incomplete && received < bytes.size()) {
    const ssize_t got = recv(fd, bytes.data() + received, bytes.size() - received, 0);
    if (got <= 0) return;
    received += static_cast<size_t>(got);
    state = scanner.scan({bytes.data(), received});
  }
  wire::RequestHead request;
  wire::Fault fault = scanner.fault();
  if (state == wire::HeadScanner::State::complete) {
    fault = wire::parse_request({bytes.data() + scanner.start(), scanner.end() - scanner.start()}, limits,
                                request);
  }
  const std::string plain = "text/plain; charset=utf-8";
  if (state != wire::HeadScanner::State::complete || fault != wire::Fault::none) {
    return send_page(fd, {wire::status_of(fault), plain, std::string(wire::describe(fault)) + "\n"}, true);
  }
  const bool is_head = request.method == wire::Method::head;
  if (request.method != wire::Method::get && !is_head) {
    return send_page(fd, {501, plain, "the admin listener answers GET and HEAD\n"}, true);
  }
  if (request.path_query == "/metrics") {
    return send_page(fd, {200, "application/openmetrics-text; version=1.0.0; charset=utf-8", metrics_()},
                     !is_head);
  }
  if (request.path_query == "/healthz") {
    if (draining_.load()) return send_page(fd, {503, plain, "draining\n"}, !is_head);
    return send_page(fd, {200, plain, "ok\n"}, !is_head);
  }
  send_page(fd, {404, plain, "the admin listener has /metrics and /healthz\n"}, !is_head);
}

}  // namespace breakwater::app
