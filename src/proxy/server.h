// A server of a pool as every core sees it: a slot for an address.
//
// An IP address and a unix socket in the file have theirs for good. Those of a name come and go: one thread
// sets them (app/resolver.h), and every core reads them without a lock. Whether requests may be sent there
// now is said by the pool's health (ServerHealth::present), which is always told after the address was set.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "ring/address.h"
#include "tls/current.h"
#include "wire/uri.h"

namespace breakwater::proxy {

// Where a slot leads, and how that is called. It stays as it is for as long as any core runs, so that a
// pointer to it is also what tells one from another.
struct ServerAddress {
  Address address;
  std::string label;        // in logs, next to others of the same name: "git1:3000 10.0.0.11:3000"
  std::string authority;    // the Host for a request of HTTP/1.0 that named none
  std::string sticky = {};  // the value of its pool's sticky cookie that stands for it; empty: there is none
};

// How a pool's servers are spoken to over TLS.
struct PoolTls {
  tls::Current<tls::ClientContext> current;
  std::string name;  // that their certificates are for; empty: the host of each

  std::string_view name_of(const ServerAddress& server) const noexcept {
    if (!name.empty()) return name;
    const std::string_view host = wire::without_port(server.authority);
    return host.starts_with('[') ? host.substr(1, host.size() - 2) : host;
  }
};

class Server {
 public:
  // For good.
  Server(std::string the_name, const Address& address, std::string sticky = {})
      : name(std::move(the_name)),
        own_{address, name, address.is_unix() ? "localhost" : name, std::move(sticky)},
        at_(&own_) {}
  // None yet.
  explicit Server(std::string the_name) : name(std::move(the_name)), at_(nullptr) {}
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  const std::string name;  // as configured: "git1:3000", "srv:_git._tcp.example.com", "unix:/run/gogs.sock"

  // Where it leads, or did last. Null: it never had an address.
  const ServerAddress* at() const noexcept { return at_.load(std::memory_order_acquire); }
  // Its name in logs and metrics: with the address if the name has several.
  std::string_view label() const noexcept {
    const ServerAddress* const address = at();
    return address != nullptr && shared_name_.load(std::memory_order_relaxed) ? address->label : name;
  }

  // By the one thread that looks names up.
  void lead_to(const ServerAddress& address) noexcept { at_.store(&address, std::memory_order_release); }
  void share_name(bool shared) noexcept { shared_name_.store(shared, std::memory_order_relaxed); }

 private:
  const ServerAddress own_;
  std::atomic<const ServerAddress*> at_;
  std::atomic<bool> shared_name_{false};
};

}  // namespace breakwater::proxy
