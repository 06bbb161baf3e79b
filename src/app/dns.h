// Asks DNS, by c-ares, which reads resolv.conf, /etc/hosts and the wire format. For one thread at a time.
//
// Answers come from within wait(), or at once. An answer that there is nothing is an answer; that nobody
// answered, or not as one should, is a failure.
#pragma once

#include <poll.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "config/config.h"
#include "ring/address.h"

struct ares_channeldata;  // of c-ares
struct ares_addrinfo;

namespace breakwater::app {

struct DnsAnswer {
  enum class Status : uint8_t { found, nothing, failed };
  Status status = Status::failed;
  std::string why;  // unless found
  uint32_t ttl_s = UINT32_MAX;
};

struct HostAnswer : DnsAnswer {
  std::vector<Address> addresses;  // without ports
};

struct ServiceRecord {
  std::string host;
  uint16_t port = 0;
  uint16_t priority = 0;
  uint16_t weight = 0;
};

struct ServiceAnswer : DnsAnswer {
  std::vector<ServiceRecord> records;
};

class DnsClient {
 public:
  explicit DnsClient(const config::Dns& config) : config_(config) {}
  ~DnsClient();  // who still waits for an answer gets none
  DnsClient(const DnsClient&) = delete;
  DnsClient& operator=(const DnsClient&) = delete;

  bool open(std::string& why);
  // The system's resolvers may be others by now. Does nothing while an answer is awaited.
  void read_resolvers_anew();

  // `family`: AF_INET, AF_INET6, or AF_UNSPEC for both.
  void ask_for_host(const std::string& host, int family, std::function<void(const HostAnswer&)> on_answer);
  void ask_for_service(const std::string& name, std::function<void(const ServiceAnswer&)> on_answer);
  // Until `until_ns` of the monotonic clock, until something came, or until `event_fd` is readable.
  void wait(int event_fd, int64_t until_ns);

 private:
  template <typename Answer>
  struct Question {
    DnsClient& client;
    std::function<void(const Answer&)> on_answer;
  };
  template <typename Answer>
  static void deliver(void* context, const Answer& answer);
  static void on_host(void* context, int status, int timeouts, ares_addrinfo* found);
  static void on_service(void* context, int status, int timeouts, unsigned char* data, int bytes);
  static void on_socket(void* context, int fd, int readable, int writable);

  const config::Dns& config_;
  ares_channeldata* channel_ = nullptr;
  std::vector<pollfd> sockets_;  // c-ares' own
  bool closing_ = false;         // nobody hears of answers any more, and nothing may be asked
  uint32_t awaited_ = 0;
};

}  // namespace breakwater::app
