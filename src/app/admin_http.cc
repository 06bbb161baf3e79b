#include "app/admin_http.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "ring/sys.h"
#include "wire/http_head.h"
#include "wire/http_write.h"
#include "wire/uri.h"

namespace breakwater::app {

namespace {

constexpr int64_t io_limit_ns = 5'000'000'000;    // to read a request; to send an answer
constexpr int64_t drop_limit_ns = 1'000'000'000;  // to read what belongs to a request that was refused
constexpr size_t drop_bytes_max = 65536;
constexpr wire::HeadLimits head_limits{8192, 1024};

AdminAnswer refusal(wire::Fault fault) {
  return {wire::status_of(fault), std::string(wire::describe(fault)) + "\n"};
}

void take_head(const wire::RequestHead& head, AdminRequest& request) {
  request.method = head.method_text;
  request.path = wire::split_query(head.path_query).path;
  request.host = head.authority;
  request.has_origin = head.fields.find("origin").data() != nullptr;
}

}  // namespace

AdminConnection::Got AdminConnection::read(AdminRequest& request, AdminAnswer& answer) {
  const int64_t end_ns = sys::monotonic_ns() + io_limit_ns;
  unread_ = true;
  using State = wire::HeadScanner::State;
  wire::HeadScanner scanner(head_limits);
  State state = State::incomplete;
  while (state == State::incomplete) {
    if (!receive(head_limits.head_bytes_max + 1, end_ns)) return Got::nothing;
    state = scanner.scan(bytes_);
  }
  wire::RequestHead head;
  const std::string text = bytes_;  // the head's views stay where they are while a body is received
  const std::string_view view(text);
  const wire::Fault fault =
      state == State::refused
          ? scanner.fault()
          : wire::parse_request(view.substr(scanner.start(), scanner.end() - scanner.start()), head_limits,
                                head);
  if (fault != wire::Fault::none) {
    answer = refusal(fault);
    return Got::fault;
  }
  bytes_.erase(0, scanner.end());
  take_head(head, request);
  if (head.body.kind == wire::BodyKind::chunked) {
    answer = {411, "the admin listener takes bodies with a Content-Length only\n"};
    return Got::fault;
  }
  if (head.body.length > admin_body_bytes_max) {
    answer = {413, "a body has at most " + std::to_string(admin_body_bytes_max) + " bytes here\n"};
    return Got::fault;
  }
  return read_body(head.body.length, head.expects_continue, end_ns, request);
}

AdminConnection::Got AdminConnection::read_body(uint64_t bytes, bool wants_continue, int64_t end_ns,
                                                AdminRequest& request) {
  if (wants_continue && bytes_.size() < bytes && !send_all("HTTP/1.1 100 Continue\r\n\r\n", end_ns))
    return Got::nothing;
  while (bytes_.size() < bytes) {
    if (!receive(bytes, end_ns)) return Got::nothing;
  }
  request.body = bytes_.substr(0, bytes);
  unread_ = false;
  return Got::request;
}

void AdminConnection::send(const AdminAnswer& answer, bool with_body) {
  std::array<char, 512> text;
  wire::HeadWriter head(text);
  head.status_line(answer.status, wire::reason_phrase(answer.status));
  head.field("Content-Type", answer.type);
  head.field("Content-Length", answer.body.size());
  head.field("Cache-Control", "no-store");
  if (!answer.allow.empty()) head.field("Allow", answer.allow);
  head.field("Connection", "close");
  head.end_of_head();
  std::string message(text.data(), head.bytes());
  if (with_body) message += answer.body;
  const bool sent = send_all(message, sys::monotonic_ns() + io_limit_ns);
  shutdown(fd_, SHUT_WR);
  if (sent && unread_) drop_the_rest();
}

// A close with unread bytes would send a reset, which can destroy the answer before it was read.
void AdminConnection::drop_the_rest() {
  const int64_t end_ns = sys::monotonic_ns() + drop_limit_ns;
  for (size_t dropped = 0; dropped < drop_bytes_max; dropped += bytes_.size()) {
    bytes_.clear();
    if (!receive(4096, end_ns)) return;
  }
}

// True if the socket is ready for `events` in time.
bool AdminConnection::wait(short events, int64_t end_ns) const {
  for (;;) {
    const int64_t left_ms = (end_ns - sys::monotonic_ns()) / 1'000'000;
    if (left_ms <= 0) return false;
    std::array<pollfd, 2> polled{{{fd_, events, 0}, {stop_event_, POLLIN, 0}}};
    const int ready = poll(polled.data(), polled.size(), static_cast<int>(left_ms));
    if (ready < 0 && errno != EINTR) return false;
    if (polled[1].revents != 0) return false;
    if (ready > 0) return true;
  }
}

// Receives something, so that at most `bytes_max` are there. False: the end, an error, or it took too long.
bool AdminConnection::receive(size_t bytes_max, int64_t end_ns) {
  std::array<char, 4096> part;
  const size_t room = bytes_max > bytes_.size() ? std::min(part.size(), bytes_max - bytes_.size()) : 0;
  while (room > 0 && wait(POLLIN, end_ns)) {
    const ssize_t got = recv(fd_, part.data(), room, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (got <= 0) return false;
    bytes_.append(part.data(), static_cast<size_t>(got));
    return true;
  }
  return false;
}

bool AdminConnection::send_all(std::string_view bytes, int64_t end_ns) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0)
      bytes.remove_prefix(static_cast<size_t>(sent));
    else if (errno != EINTR && (errno != EAGAIN || !wait(POLLOUT, end_ns)))
      return false;
  }
  return true;
}

}  // namespace breakwater::app
