#include "app/ctl.h"

#include <netdb.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <nlohmann/json.hpp>

#include "app/ctl_tables.h"
#include "app/say.h"
#include "ring/address.h"
#include "wire/http_head.h"

namespace breakwater::app {

namespace {

constexpr timeval io_limit{.tv_sec = 10, .tv_usec = 0};
constexpr wire::HeadLimits head_limits{8192, 8192};

struct Reply {
  uint16_t status = 0;
  std::string body;
};

// A connected socket, or -1 and `why`.
int connect_to(const Address& address, std::string& why) {
  const int fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd >= 0) {
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &io_limit, sizeof io_limit);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &io_limit, sizeof io_limit);
    if (connect(fd, &address.any, address.bytes) == 0) return fd;
  }
  why = strerror(errno);
  if (fd >= 0) close(fd);
  return -1;
}

// The same for a name or an address as it was written. `host`: what to call it.
int connect_to(const config::Endpoint& endpoint, std::string& host, std::string& why) {
  host = "localhost";
  if (!endpoint.path.empty()) return connect_to(Address::of_unix_socket(endpoint.path), why);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const char* const name = endpoint.host.empty() ? nullptr : endpoint.host.c_str();
  if (const int status = getaddrinfo(name, std::to_string(endpoint.port).c_str(), &hints, &found);
      status != 0) {
    why = gai_strerror(status);
    return -1;
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, freeaddrinfo);
  for (; found != nullptr; found = found->ai_next) {
    Address address;
    std::memcpy(&address.any, found->ai_addr, found->ai_addrlen);
    address.bytes = found->ai_addrlen;
    const int fd = connect_to(address, why);
    host = address.text();  // as a number: a name would be refused there (admin_guard.h)
    if (fd >= 0) return fd;
  }
  return -1;
}

bool exchange(int fd, std::string_view request, std::string& answer, std::string& why) {
  while (!request.empty()) {
    const ssize_t sent = send(fd, request.data(), request.size(), MSG_NOSIGNAL);
    if (sent <= 0) break;  // it may have answered nevertheless
    request.remove_prefix(static_cast<size_t>(sent));
  }
  std::array<char, 65536> part;
  ssize_t got = 0;
  while ((got = recv(fd, part.data(), part.size(), 0)) > 0)
    answer.append(part.data(), static_cast<size_t>(got));
  if (got < 0) why = errno == EAGAIN ? "no answer in time" : strerror(errno);
  return got == 0;
}

bool read_reply(std::string_view bytes, Reply& reply) {
  wire::HeadScanner scanner(head_limits);
  if (scanner.scan(bytes) != wire::HeadScanner::State::complete) return false;
  wire::ResponseHead head;
  if (wire::parse_response(bytes.substr(0, scanner.end()), head_limits, wire::Method::get, head) !=
      wire::Fault::none)
    return false;
  reply.status = head.status;
  reply.body = bytes.substr(scanner.end());
  return head.body.kind == wire::BodyKind::length && head.body.length == reply.body.size();
}

bool is_unreserved(char byte) {
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
         std::string_view("-._~:").find(byte) != std::string_view::npos;
}

std::string encoded(std::string_view text) {
  std::string result;
  for (const char byte : text) {
    const auto value = static_cast<unsigned char>(byte);
    if (is_unreserved(byte))
      result += byte;
    else
      result += {'%', "0123456789ABCDEF"[value >> 4], "0123456789ABCDEF"[value & 15]};
  }
  return result;
}

std::string body_of(const Ctl& ctl) {
  switch (ctl.verb) {
    case Ctl::Verb::drain:
      return R"({"state": "drain"})";
    case Ctl::Verb::ready:
      return R"({"state": "ready"})";
    case Ctl::Verb::maintenance:
      return R"({"state": "maintenance"})";
    case Ctl::Verb::weight:
      return R"({"weight": )" + std::to_string(ctl.weight) + "}";
    case Ctl::Verb::servers:
    case Ctl::Verb::operations:
    case Ctl::Verb::queue:
      break;
  }
  return "";
}

std::string request_of(const Ctl& ctl, const std::string& host) {
  const std::string body = body_of(ctl);
  const std::string fields = " HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n";
  if (ctl.verb == Ctl::Verb::servers) return "GET /servers" + fields + "\r\n";
  if (ctl.verb == Ctl::Verb::operations) return "GET /operations" + fields + "\r\n";
  if (ctl.verb == Ctl::Verb::queue) return "GET /queue" + fields + "\r\n";
  const size_t slash = ctl.server.find('/');
  const std::string path = encoded(ctl.server.substr(0, slash)) + "/" + encoded(ctl.server.substr(slash + 1));
  return "POST /servers/" + path + fields +
         "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         body;
}

std::string table_of(const Ctl& ctl, const std::string& body) {
  const nlohmann::json json = nlohmann::json::parse(body, nullptr, false);
  if (json.is_discarded()) return body;
  if (ctl.verb == Ctl::Verb::servers) return servers_table(json);
  if (ctl.verb == Ctl::Verb::operations) return operations_table(json);
  if (ctl.verb == Ctl::Verb::queue) return queue_table(json);
  return server_line(json);
}

int give_up(const std::string& why) {
  std::fprintf(stderr, "breakwater: %s%s", why.c_str(), why.ends_with('\n') ? "" : "\n");
  return 1;
}

}  // namespace

int run_ctl(const Ctl& ctl) {
  std::string why;
  std::string host;
  const int fd = connect_to(ctl.endpoint, host, why);
  if (fd < 0)
    return give_up("the admin listener at " + ctl.address + " can't be reached: " + why +
                   " (does Breakwater run with [admin] bind or --admin? -s says where)");
  std::string answer;
  const bool answered = exchange(fd, request_of(ctl, host), answer, why);
  close(fd);
  if (!answered) return give_up("the admin listener at " + ctl.address + " gave no answer: " + why);
  Reply reply;
  if (!read_reply(answer, reply))
    return give_up("what listens at " + ctl.address + " gave no whole answer of HTTP");
  if (reply.status != 200) return give_up(reply.body);
  return print(ctl.json ? reply.body : table_of(ctl, reply.body)) ? 0 : 1;
}

}  // namespace breakwater::app
