// Resolver: looks up servers that are names, at start-up and whenever their records are too old, on a thread
// of its own that sleeps in between. What it learns it tells to the cores by atomics alone: where a slot
// leads (proxy::Server) and whether it is there (backends::PoolHealth).
//
// An answer changes things, and that there is nothing is an answer; while nobody answers nothing changes.
#pragma once

#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "app/dns.h"
#include "app/metrics.h"
#include "app/sticky_key.h"
#include "backends/addresses.h"
#include "config/config.h"
#include "core/stats.h"
#include "proxy/pool.h"

namespace breakwater::app {

class Resolver {
 public:
  explicit Resolver(const config::Dns& config) : config_(config), client_(config) {}
  ~Resolver();  // the cores have ended by then
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  // `server` is a name, and its slots in `pool` begin at `first_slot`. `sticky_key` is the pool's; null: it
  // has no sticky cookie. Before look_up_all().
  void add(proxy::SharedPool& pool, uint32_t first_slot, const config::Server& server,
           const StickyKey* sticky_key);
  // Asks for all names once, on the caller's thread. False if a pool has no server now; `why` says which name
  // can't be found.
  bool look_up_all(std::string& why);
  // Goes on by itself from here.
  void start();
  DnsReading reading() const noexcept;  // any thread

 private:
  // What the cores were told of a slot.
  struct Told {
    const proxy::ServerAddress* address = nullptr;
    backends::Placing placing;
    bool present = false;
    bool operator==(const Told&) const = default;
  };

  // A server that is a name. A round is from the first question to the last answer.
  struct Name {
    Name(proxy::SharedPool& the_pool, uint32_t first, const config::Server& server, const StickyKey* key)
        : pool(the_pool),
          first_slot(first),
          sticky_key(key),
          endpoint(server.address),
          text(server.address.text()),
          slots(server.slots),
          told(server.slots) {}

    proxy::SharedPool& pool;
    const uint32_t first_slot;
    const StickyKey* const sticky_key;
    const config::Endpoint endpoint;
    const std::string text;
    backends::Slots slots;
    std::vector<Told> told;  // by slot of its own

    std::vector<ServiceRecord> records;                 // its hosts; of a plain name one, itself
    std::map<std::string, std::vector<Address>> known;  // by host, without ports
    uint32_t awaited = 0;                               // answers
    bool asking = false;
    bool answered = false;  // once at least
    bool failing = false;
    uint32_t ttl_s = 0;
    std::string why;      // nobody answered in this round
    std::string nothing;  // there is none
    int64_t due_ns = 0;
    std::string said_of_unused;
  };

  // An address that a name has.
  struct Lead {
    Address address;
    const ServiceRecord* record;
    bool used = false;  // it has a slot
  };

  void run();
  void ask_what_is_due();
  int64_t next_due_ns() const;
  void begin(Name& name);
  void on_service(Name& name, const ServiceAnswer& answer);
  void ask_for_hosts(Name& name);
  void ask_for_host(Name& name, const std::string& host, int family);
  void on_host(Name& name, const std::string& host, int family, const HostAnswer& answer);
  void finish(Name& name);
  static std::vector<Lead> leads_of(const Name& name);
  bool place(Name& name, std::vector<Lead>& leads);
  bool tell(Name& name, uint32_t slot, const Told& now);
  const proxy::ServerAddress* intern(const Name& name, const Lead& lead);
  void say_what_changed(Name& name, const std::vector<Lead>& leads, bool changed);
  void count(const DnsAnswer& answer);

  const config::Dns& config_;
  std::deque<proxy::ServerAddress> addresses_;  // all that ever were, so that no core's pointer goes stale
  std::map<std::string, const proxy::ServerAddress*> address_by_text_;
  std::deque<Name> names_;
  DnsClient client_;
  uint32_t asking_ = 0;
  bool serving_ = false;  // since start(): what changes is said
  bool full_ = false;
  Count queries_, failures_, failing_;
  int event_ = -1;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace breakwater::app
