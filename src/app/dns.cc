#include "app/dns.h"

#define CARES_NO_DEPRECATED  // 1.34 has newer ways that 1.18 of Debian 12 has not
#include <ares.h>
#include <arpa/nameser.h>
#include <resolv.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>

#include "config/network.h"
#include "ring/sys.h"

namespace breakwater::app {

namespace {

constexpr int tries = 2;
constexpr int parts =
    3;  // of the timeout: one for the first try, and c-ares waits twice as long for the second
constexpr int64_t ms = 1'000'000;

DnsAnswer::Status status_of(int status) {
  if (status == ARES_SUCCESS) return DnsAnswer::Status::found;
  const bool is_answer = status == ARES_ENODATA || status == ARES_ENOTFOUND;
  return is_answer ? DnsAnswer::Status::nothing : DnsAnswer::Status::failed;
}

uint32_t shorter(uint32_t ttl_s, int other_s) {
  return std::min(ttl_s, static_cast<uint32_t>(std::max(other_s, 0)));
}

void read_host(const ares_addrinfo& found, HostAnswer& answer) {
  for (const ares_addrinfo_node* node = found.nodes; node != nullptr; node = node->ai_next) {
    if (node->ai_addrlen > sizeof Address::v6) continue;
    Address& address = answer.addresses.emplace_back();
    std::memcpy(&address.any, node->ai_addr, node->ai_addrlen);
    address.bytes = node->ai_addrlen;
    answer.ttl_s = shorter(answer.ttl_s, node->ai_ttl);
  }
  for (const ares_addrinfo_cname* alias = found.cnames; alias != nullptr; alias = alias->next)
    answer.ttl_s = shorter(answer.ttl_s, alias->ttl);
}

// The record's service (RFC 2782); none: it is malformed.
std::optional<ServiceRecord> read_record(const ns_msg& message, const ns_rr& record) {
  constexpr int numbers_bytes = 6;
  const unsigned char* const data = ns_rr_rdata(record);
  char host[NS_MAXDNAME] = "";
  if (ns_rr_rdlen(record) <= numbers_bytes) return std::nullopt;
  const int host_bytes =
      dn_expand(ns_msg_base(message), ns_msg_end(message), data + numbers_bytes, host, sizeof host);
  if (host_bytes != ns_rr_rdlen(record) - numbers_bytes) return std::nullopt;
  const auto number = [data](int at) { return static_cast<uint16_t>(data[at] << 8 | data[at + 1]); };
  return ServiceRecord{.host = host, .port = number(4), .priority = number(0), .weight = number(2)};
}

// By libc's parser: that of c-ares 1.18 drops the time that records hold, and cuts a name at a zero byte.
int read_service(const unsigned char* data, int bytes, ServiceAnswer& answer) {
  ns_msg message;
  if (ns_initparse(data, bytes, &message) != 0) return ARES_EBADRESP;
  for (int index = 0; index < ns_msg_count(message, ns_s_an); index++) {
    ns_rr record;
    if (ns_parserr(&message, ns_s_an, index, &record) != 0) return ARES_EBADRESP;
    answer.ttl_s = std::min<uint32_t>(answer.ttl_s, ns_rr_ttl(record));
    if (ns_rr_type(record) != ns_t_srv || ns_rr_class(record) != ns_c_in) continue;
    const std::optional<ServiceRecord> service = read_record(message, record);
    if (!service) return ARES_EBADRESP;
    // RFC 2782: "." is a service that is decidedly not there. A name of DNS may hold any bytes, a host's not.
    if (config::is_host_name(service->host) && service->port != 0) answer.records.push_back(*service);
  }
  return answer.records.empty() ? ARES_ENODATA : ARES_SUCCESS;
}

}  // namespace

DnsClient::~DnsClient() {
  if (channel_ == nullptr) return;
  closing_ = true;
  ares_destroy(channel_);
  ares_library_cleanup();
}

bool DnsClient::open(std::string& why) {
  ares_options options{};
  int mask = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB;
  options.timeout = static_cast<int>(config_.timeout.count() / parts);
  options.tries = tries;
  options.sock_state_cb = on_socket;
  options.sock_state_cb_data = this;
#ifdef ARES_OPT_QUERY_CACHE
  mask |= ARES_OPT_QUERY_CACHE;  // with 0: who asks here knows when
#endif
  int status = channel_ == nullptr ? ares_library_init(ARES_LIB_INIT_ALL) : ARES_SUCCESS;
  ares_channel channel = nullptr;
  if (status == ARES_SUCCESS) status = ares_init_options(&channel, &options, mask);
  std::string servers;
  for (const config::Endpoint& server : config_.servers)
    servers += (servers.empty() ? "" : ",") + server.text();
  if (status == ARES_SUCCESS && !servers.empty())
    status = ares_set_servers_ports_csv(channel, servers.c_str());
  if (status == ARES_SUCCESS) std::swap(channel, channel_);
  if (channel != nullptr) ares_destroy(channel);
  if (status != ARES_SUCCESS) why = std::string("DNS can't be asked: ") + ares_strerror(status);
  return status == ARES_SUCCESS;
}

void DnsClient::read_resolvers_anew() {
  std::string why;  // then the old ones are asked, and what fails is said there
  if (config_.servers.empty() && awaited_ == 0) open(why);
}

template <typename Answer>
void DnsClient::deliver(void* context, const Answer& answer) {
  const std::unique_ptr<Question<Answer>> question(static_cast<Question<Answer>*>(context));
  question->client.awaited_--;
  // Of two questions for one host the first may have been answered: that comes now, as a success.
  if (question->client.closing_) return;
  question->on_answer(answer);
}

void DnsClient::ask_for_host(const std::string& host, int family,
                             std::function<void(const HostAnswer&)> on_answer) {
  awaited_++;
  ares_addrinfo_hints hints{};
  hints.ai_flags = ARES_AI_NOSORT;
  hints.ai_family = family;
  hints.ai_socktype = SOCK_STREAM;
  ares_getaddrinfo(channel_, host.c_str(), nullptr, &hints, on_host,
                   new Question<HostAnswer>{*this, std::move(on_answer)});
}

void DnsClient::on_host(void* context, int status, int, ares_addrinfo* found) {
  HostAnswer answer;
  if (status == ARES_SUCCESS && found != nullptr) read_host(*found, answer);
  if (found != nullptr) ares_freeaddrinfo(found);
  answer.status = status_of(status);
  if (status != ARES_SUCCESS) answer.why = ares_strerror(status);
  deliver(context, answer);
}

void DnsClient::ask_for_service(const std::string& name,
                                std::function<void(const ServiceAnswer&)> on_answer) {
  awaited_++;
  ares_query(channel_, name.c_str(), ns_c_in, ns_t_srv, on_service,
             new Question<ServiceAnswer>{*this, std::move(on_answer)});
}

void DnsClient::on_service(void* context, int status, int, unsigned char* data, int bytes) {
  ServiceAnswer answer;
  if (status == ARES_SUCCESS) status = read_service(data, bytes, answer);
  if (status != ARES_SUCCESS) answer.records.clear();
  answer.status = status_of(status);
  if (status != ARES_SUCCESS) answer.why = ares_strerror(status);
  deliver(context, answer);
}

void DnsClient::on_socket(void* context, int fd, int readable, int writable) {
  std::vector<pollfd>& sockets = static_cast<DnsClient*>(context)->sockets_;
  std::erase_if(sockets, [fd](const pollfd& socket) { return socket.fd == fd; });
  const int events = (readable != 0 ? POLLIN : 0) | (writable != 0 ? POLLOUT : 0);
  if (events != 0) sockets.push_back({fd, static_cast<short>(events), 0});
}

void DnsClient::wait(int event_fd, int64_t until_ns) {
  std::vector<pollfd> waited = sockets_;  // a copy: what is called below changes them
  waited.push_back({event_fd, POLLIN, 0});
  int64_t wait_ns = std::clamp<int64_t>(until_ns - sys::monotonic_ns(), 0, INT32_MAX * ms);
  timeval limit{};
  if (const timeval* const next = ares_timeout(channel_, nullptr, &limit); next != nullptr)
    wait_ns = std::min<int64_t>(wait_ns, next->tv_sec * 1000 * ms + next->tv_usec * 1000);
  if (poll(waited.data(), waited.size(), static_cast<int>((wait_ns + ms - 1) / ms)) <= 0)
    return ares_process_fd(channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);  // the time of some may be over
  waited.pop_back();
  for (const pollfd& socket : waited) {
    const bool readable = (socket.revents & (POLLIN | POLLERR | POLLHUP)) != 0;
    const bool writable = (socket.revents & POLLOUT) != 0;
    ares_process_fd(channel_, readable ? socket.fd : ARES_SOCKET_BAD, writable ? socket.fd : ARES_SOCKET_BAD);
  }
}

}  // namespace breakwater::app
