#include "app/resolver.h"

#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

#include "app/say.h"
#include "backends/affinity.h"
#include "base/assert.h"
#include "config/schema.h"
#include "ring/sys.h"

namespace breakwater::app {

namespace {

constexpr uint32_t names_at_once_max = 64;  // more questions at once would only fill socket buffers

// Addresses of all names since the start: as many as a pod network of /16 has, for one name. Each takes less
// than 512 bytes, with its texts: 32 MiB. Past it new addresses are refused.
constexpr size_t addresses_max = 65'536;

constexpr int families[] = {AF_INET, AF_INET6};

bool is_of(const Address& address, int family) {
  return address.any.sa_family == family;
}

bool has_family(const std::vector<Address>& addresses, int family) {
  return std::any_of(addresses.begin(), addresses.end(),
                     [family](const Address& address) { return is_of(address, family); });
}

std::string joined(const std::vector<std::string>& texts) {
  std::string all;
  for (const std::string& text : texts) all += (all.empty() ? "" : ", ") + text;
  return all;
}

// In an order that does not change with that of the answer. More than these could not have slots.
std::vector<ServiceRecord> in_order(std::vector<ServiceRecord> records) {
  std::sort(records.begin(), records.end(), [](const ServiceRecord& a, const ServiceRecord& b) {
    return std::tie(a.priority, a.host, a.port) < std::tie(b.priority, b.host, b.port);
  });
  records.resize(std::min<size_t>(records.size(), config::slots_max));
  return records;
}

}  // namespace

Resolver::~Resolver() {
  stopping_.store(true);
  if (event_ >= 0) sys::signal_event(event_);
  if (thread_.joinable()) thread_.join();
  if (event_ >= 0) close(event_);
}

void Resolver::add(proxy::SharedPool& pool, uint32_t first_slot, const config::Server& server,
                   const StickyKey* sticky_key) {
  names_.emplace_back(pool, first_slot, server, sticky_key);
  for (uint32_t slot = 0; slot < server.slots; slot++) pool.health.begin_absent(first_slot + slot);
}

bool Resolver::look_up_all(std::string& why) {
  if (names_.empty()) return true;
  if (!client_.open(why)) return false;
  event_ = sys::make_event();
  const auto answered = [](const Name& name) { return name.answered; };
  for (;;) {
    ask_what_is_due();
    if (std::all_of(names_.begin(), names_.end(), answered)) break;
    client_.wait(event_, INT64_MAX);
  }
  for (const Name& name : names_) {
    const auto present = [](const Told& told) { return told.present; };
    if (std::any_of(name.told.begin(), name.told.end(), present)) continue;
    why = "the " + std::string(name.endpoint.service ? "service" : "host") + " of " + name.text +
          " can't be found: " + (name.why.empty() ? name.nothing : name.why);
    if (name.pool.health.present_count() == 0) return false;
    say(why + "; pool " + name.pool.config.name + " goes on without it");
  }
  return true;
}

void Resolver::start() {
  serving_ = true;
  if (!names_.empty()) thread_ = std::thread([this] { run(); });
}

DnsReading Resolver::reading() const noexcept {
  return {queries_.get(), failures_.get(), failing_.get()};
}

void Resolver::run() {
  pthread_setname_np(pthread_self(), "resolver");
  while (!stopping_.load()) {
    ask_what_is_due();
    client_.wait(event_, next_due_ns());
  }
}

void Resolver::ask_what_is_due() {
  const int64_t now = sys::monotonic_ns();
  if (failing_.get() > 0) client_.read_resolvers_anew();
  for (Name& name : names_)
    if (!name.asking && name.due_ns <= now && asking_ < names_at_once_max) begin(name);
}

// With as many questions as there may be an answer comes first.
int64_t Resolver::next_due_ns() const {
  int64_t next = INT64_MAX;
  if (asking_ == names_at_once_max) return next;
  for (const Name& name : names_)
    if (!name.asking) next = std::min(next, name.due_ns);
  return next;
}

// ---- one round of a name

void Resolver::begin(Name& name) {
  name.asking = true;
  asking_++;
  name.ttl_s = UINT32_MAX;
  name.why.clear();
  name.nothing.clear();
  if (name.endpoint.service) {
    queries_.add();
    return client_.ask_for_service(name.endpoint.host,
                                   [this, &name](const ServiceAnswer& answer) { on_service(name, answer); });
  }
  name.records = {{name.endpoint.host, name.endpoint.port, 0, 0}};
  ask_for_hosts(name);
}

void Resolver::on_service(Name& name, const ServiceAnswer& answer) {
  count(answer);
  if (answer.status == DnsAnswer::Status::failed) {
    name.why = answer.why;
    return finish(name);
  }
  name.records = in_order(answer.records);
  name.ttl_s = answer.ttl_s;
  name.nothing = answer.why;
  ask_for_hosts(name);
}

void Resolver::ask_for_hosts(Name& name) {
  std::map<std::string, std::vector<Address>> known;  // what is no host of it any more is forgotten
  for (const ServiceRecord& record : name.records)
    known.try_emplace(record.host, std::move(name.known[record.host]));
  name.known = std::move(known);
  std::vector<std::string> hosts;
  for (const auto& [host, addresses] : name.known) hosts.push_back(host);
  if (hosts.empty()) return finish(name);
  name.awaited = static_cast<uint32_t>(hosts.size());  // all of them: an answer may come at once
  for (const std::string& host : hosts) ask_for_host(name, host, AF_UNSPEC);
}

void Resolver::ask_for_host(Name& name, const std::string& host, int family) {
  queries_.add();
  client_.ask_for_host(host, family, [this, &name, host, family](const HostAnswer& answer) {
    on_host(name, host, family, answer);
  });
}

// A and AAAA are asked for together, and if only one of the two questions was answered that looks as if there
// were nothing of the other family. So who had addresses of a family and has none now is asked for that
// alone.
void Resolver::on_host(Name& name, const std::string& host, int family, const HostAnswer& answer) {
  count(answer);
  std::vector<Address>& known = name.known[host];
  std::vector<int> lost;
  if (answer.status == DnsAnswer::Status::failed) {
    name.why = answer.why;
  } else {
    name.ttl_s = std::min(name.ttl_s, answer.ttl_s);
    if (!answer.why.empty()) name.nothing = answer.why;
    for (const int each : families) {
      const bool is_lost = has_family(known, each) && !has_family(answer.addresses, each);
      if (family == AF_UNSPEC && is_lost) lost.push_back(each);
    }
    std::erase_if(known, [&](const Address& address) {
      const bool asked = family == AF_UNSPEC || is_of(address, family);
      return asked && std::find(lost.begin(), lost.end(), address.any.sa_family) == lost.end();
    });
    known.insert(known.end(), answer.addresses.begin(), answer.addresses.end());
  }
  name.awaited += static_cast<uint32_t>(lost.size());
  for (const int each : lost) ask_for_host(name, host, each);
  if (--name.awaited == 0) finish(name);
}

void Resolver::count(const DnsAnswer& answer) {
  if (answer.status == DnsAnswer::Status::failed) failures_.add();
}

// Each address once, by the first of its records.
std::vector<Resolver::Lead> Resolver::leads_of(const Name& name) {
  std::vector<Lead> leads;
  std::set<std::string> seen;
  for (const ServiceRecord& record : name.records) {
    for (Address address : name.known.at(record.host)) {
      address.set_port(record.port);
      if (seen.insert(address.text()).second) leads.push_back({address, &record});
    }
  }
  return leads;
}

void Resolver::finish(Name& name) {
  name.asking = false;
  name.answered = true;
  asking_--;
  std::vector<Lead> leads = leads_of(name);
  const bool changed = place(name, leads);
  const bool again_soon = !name.why.empty() || leads.empty();
  name.due_ns = sys::monotonic_ns() +
                (again_soon ? backends::retry_ns(config_) : backends::lifetime_ns(name.ttl_s, config_));
  say_what_changed(name, leads, changed);
}

// ---- from addresses to slots

const proxy::ServerAddress* Resolver::intern(const Name& name, const Lead& lead) {
  const std::string label = name.text + " " + lead.address.text();
  const std::string authority =
      name.endpoint.service ? lead.record->host + ":" + std::to_string(lead.record->port) : name.text;
  const std::string sticky =
      name.sticky_key != nullptr ? name.sticky_key->value_for(name.pool.config.name, label) : "";
  const std::string text = label + " " + authority + " " + sticky;
  if (const auto known = address_by_text_.find(text); known != address_by_text_.end()) return known->second;
  if (addresses_.size() == addresses_max) {
    if (!std::exchange(full_, true))
      say("names have had " + std::to_string(addresses_max) +
          " addresses since the start; new ones are not used before the next start");
    return nullptr;
  }
  return address_by_text_[text] =
             &addresses_.emplace_back(proxy::ServerAddress{lead.address, label, authority, sticky});
}

// True if other addresses are in use than before.
bool Resolver::place(Name& name, std::vector<Lead>& leads) {
  std::vector<backends::Found> found;
  for (const Lead& lead : leads)
    found.push_back({lead.address.text(), lead.record->priority, lead.record->weight});
  const std::vector<uint32_t> slots = name.slots.assign(found);
  std::vector<Told> now = name.told;
  for (Told& told : now) told.present = false;
  for (size_t index = 0; index < leads.size(); index++) {
    const uint32_t slot = slots[index];
    const proxy::ServerAddress* const address =
        slot == backends::Slots::none ? nullptr : intern(name, leads[index]);
    if (address == nullptr) continue;
    leads[index].used = true;
    const backends::Rank rank = backends::rank_of(found[index], found);
    now[slot] = {address, {backends::hash(found[index].address, false), rank.share, rank.backup}, true};
    name.pool.servers[name.first_slot + slot].share_name(leads.size() > 1);
  }
  bool changed = false;
  for (uint32_t slot = 0; slot < now.size(); slot++) changed = tell(name, slot, now[slot]) || changed;
  return changed;
}

// True if the slot leads elsewhere, or is or isn't there, unlike before.
bool Resolver::tell(Name& name, uint32_t slot, const Told& now) {
  const Told before = std::exchange(name.told[slot], now);
  if (before == now) return false;
  const uint32_t server = name.first_slot + slot;
  if (now.present) {
    BW_ASSERT(now.address != nullptr);
    const bool anew =
        before.address == nullptr || before.address->address.text() != now.address->address.text();
    name.pool.servers[server].lead_to(*now.address);
    name.pool.health.arrive(server, now.placing, anew, serving_ ? sys::monotonic_ns() : 0);
  } else {
    name.pool.health.leave(server, sys::monotonic_ns());
  }
  return before.address != now.address || before.present != now.present;
}

// ---- what operators hear of it

void Resolver::say_what_changed(Name& name, const std::vector<Lead>& leads, bool changed) {
  const bool failing = !name.why.empty();
  const bool turned = failing != std::exchange(name.failing, failing);
  if (turned) failing ? failing_.add() : failing_.subtract();
  std::vector<std::string> used, unused;
  for (const Lead& lead : leads) (lead.used ? used : unused).push_back(lead.address.text());
  std::sort(used.begin(), used.end());  // records change their order each time
  std::sort(unused.begin(), unused.end());
  if (!unused.empty() && joined(unused) != name.said_of_unused)
    say(name.text + " has " + std::to_string(leads.size()) + " addresses and " +
        std::to_string(name.told.size()) + " slots; not used: " + joined(unused));
  name.said_of_unused = joined(unused);
  if (!serving_) return;
  if (turned && failing) say(name.text + " can't be looked up: " + name.why + "; its known addresses stay");
  if (turned && !failing) say(name.text + " can be looked up again");
  if (changed && leads.empty()) say(name.text + " has no address any more: " + name.nothing);
  if (changed && !leads.empty()) say(name.text + " is at " + joined(used) + " now");
}

}  // namespace breakwater::app
