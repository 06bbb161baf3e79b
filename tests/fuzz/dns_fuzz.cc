// DNS answers of any bytes, over a socket as they come in service: DnsClient tells nothing that the answer
// does not hold, no host that is none, and ends every question with one answer.
//
// Input: a byte that says what is asked (bit 0: a service, otherwise a host) and how the answer is made (bit
// 1: the bytes are the whole message behind its id; otherwise its header and its question are good ones);
// then the bytes: two of the header's flags and one of how many records there are, in front of these.
#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "app/dns.h"
#include "base/assert.h"
#include "config/network.h"
#include "ring/sys.h"

using namespace breakwater;

namespace {

constexpr size_t id_bytes = 2, header_bytes = 12;
constexpr int64_t ms = 1'000'000;

// Answers every question that comes with the same bytes.
class NameServer {
 public:
  NameServer() : fd_(socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t bytes = sizeof address;
    BW_ASSERT(bind(fd_, reinterpret_cast<sockaddr*>(&address), bytes) == 0);
    BW_ASSERT(getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &bytes) == 0);
    port_ = ntohs(address.sin_port);
  }

  uint16_t port() const { return port_; }

  const std::string& last_answer() const { return last_answer_; }

  void answer_all(bool whole, std::string_view text) {
    char query[512];
    sockaddr_in from{};
    socklen_t bytes = sizeof from;
    ssize_t got;
    while ((got = recvfrom(fd_, query, sizeof query, 0, reinterpret_cast<sockaddr*>(&from), &bytes)) > 0) {
      last_answer_ = answer_to({query, static_cast<size_t>(got)}, whole, text);
      sendto(fd_, last_answer_.data(), last_answer_.size(), 0, reinterpret_cast<sockaddr*>(&from), bytes);
    }
  }

 private:
  static std::string answer_to(std::string_view query, bool whole, std::string_view text) {
    std::string answer(query.substr(0, id_bytes));
    if (whole) return answer.append(text);
    const auto at = [&](size_t place) { return place < text.size() ? text[place] : '\0'; };
    answer += {static_cast<char>(at(0) | 0x80), at(1), 0, 1, 0, at(2), 0, 0, 0, 0};
    const size_t question = query.find('\0', header_bytes) + 5;  // behind the name: a type and a class
    answer += query.substr(header_bytes, question - header_bytes);
    return answer.append(text.substr(std::min<size_t>(3, text.size())));
  }

  int fd_;
  uint16_t port_;
  std::string last_answer_;
};

// The name that stands there (RFC 1035 §4.1.4), in the dress of a host's; or nothing.
std::string name_at(std::string_view message, size_t at) {
  std::string name;
  for (int hops = 0; hops < 64 && at < message.size();) {
    const uint8_t first = static_cast<uint8_t>(message[at]);
    if (first == 0) return name;
    if (first >= 0xc0) {
      if (at + 1 == message.size()) return {};
      at = size_t{first & 0x3fu} << 8 | static_cast<uint8_t>(message[at + 1]);
      hops++;
    } else {
      name += (name.empty() ? "" : ".") + std::string(message.substr(at + 1, first));
      at += 1 + first;
    }
  }
  return {};
}

// Somewhere in the message there is this record.
bool holds(std::string_view message, const app::ServiceRecord& record) {
  std::string numbers;
  for (const uint16_t number : {record.priority, record.weight, record.port})
    numbers += {static_cast<char>(number >> 8), static_cast<char>(number & 0xff)};
  for (size_t at = message.find(numbers); at != std::string_view::npos; at = message.find(numbers, at + 1))
    if (name_at(message, at + numbers.size()) == record.host) return true;
  return false;
}

struct Net {
  NameServer server;
  config::Dns config;
  app::DnsClient client{config};
  Net() {
    config.servers.push_back({.host = "127.0.0.1", .port = server.port()});
    config.timeout = config::Duration{6};
    std::string why;
    BW_ASSERT(client.open(why));
  }
};

void check(const app::DnsAnswer& answer, bool has_any) {
  BW_ASSERT((answer.status == app::DnsAnswer::Status::found) == has_any);
  BW_ASSERT(has_any == answer.why.empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0 || size > 400) return 0;
  static Net& net = *new Net;  // never given up: c-ares is the whole program's
  const bool service = (data[0] & 1) != 0, whole = (data[0] & 2) != 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  int answers = 0;
  if (service) {
    net.client.ask_for_service("_git._tcp.example.test", [&](const app::ServiceAnswer& answer) {
      answers++;
      check(answer, !answer.records.empty());
      for (const app::ServiceRecord& record : answer.records) {
        BW_ASSERT(config::is_host_name(record.host) && record.port != 0);
        BW_ASSERT(holds(net.server.last_answer(), record));
      }
    });
  } else {
    net.client.ask_for_host("git.example.test", AF_UNSPEC, [&](const app::HostAnswer& answer) {
      answers++;
      check(answer, !answer.addresses.empty());
      for (const Address& address : answer.addresses) {
        const void* const ip = address.is_v6() ? static_cast<const void*>(&address.v6.sin6_addr)
                                               : static_cast<const void*>(&address.v4.sin_addr);
        const std::string_view bytes(static_cast<const char*>(ip), address.is_v6() ? 16 : 4);
        BW_ASSERT(address.port() == 0 && text.find(bytes) != std::string_view::npos);
      }
    });
  }
  const int64_t end_ns = sys::monotonic_ns() + 10'000 * ms;
  while (answers == 0) {
    net.server.answer_all(whole, text);
    net.client.wait(-1, sys::monotonic_ns() + ms);
    BW_ASSERT(sys::monotonic_ns() < end_ns);
  }
  BW_ASSERT(answers == 1);
  return 0;
}
