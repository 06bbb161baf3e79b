#include "config/explain.h"

#include <algorithm>
#include <array>
#include <vector>

#include "config/kind.h"
#include "config/schema.h"
#include "config/units.h"

namespace breakwater::config {
namespace {

constexpr size_t columns = 5;
using Row = std::array<std::string, columns>;

std::string origin_text(const KeyOrigins& origins, std::string_view key, const Pool* pool,
                        std::string_view file_name) {
  const auto origin = origins.find(key);
  if (origin == origins.end()) return "default";
  std::string place = std::string(file_name) + ":" + std::to_string(origin->second.place.line);
  switch (origin->second.from) {
    case Origin::From::kind:
      return "kind " + std::string(text_of<Kind>(kind_words, pool->kind));
    case Origin::From::follows:
      return "default, to fit " + place;
    case Origin::From::file:
    case Origin::From::wrong:
      break;
  }
  return place;
}

// Some waits of a pool can't come to pass: the key that rules `key` out, or none.
std::string_view ruled_out_by(const Pool& pool, std::string_view key) {
  if (key == "queue_timeout" && pool.admission.queue == 0) return "queue";
  if (key.starts_with("probe_") && pool.probe.type == Probe::Type::off) return "probe";
  if (key.starts_with("agent_") && pool.agent.port == 0) return "agent_port";
  if (pool.health.slow_ratio != 0) return {};
  if (key == "slow_min") return "slow_ratio";
  if (key.starts_with("eject_time") && pool.health.errors == 0) return "eject_errors";
  return {};
}

class TimeoutTable {
 public:
  explicit TimeoutTable(std::string_view file_name) : file_name_(file_name) {
    rows_.push_back({"name", "value", "from", "what is waited for", "when it is over"});
  }

  void add(const Timeouts& timeouts, const KeyOrigins& origins) {
    for (const auto& key : timeout_keys) {
      // Without a pace nobody's is looked at.
      const bool off = key.name == "client_pace_window" && timeouts.client_pace == 0;
      const std::string_view decides = off ? client_pace_key.name : key.name;
      add(std::string(key.name), off ? Duration{0} : timeouts.*key.member,
          origin_text(origins, decides, nullptr, file_name_), key);
    }
  }

  void add(const Dns& dns, const KeyOrigins& origins) {
    for (const auto& key : dns_duration_keys)
      add("dns." + std::string(key.name), dns.*key.member,
          origin_text(origins, key.name, nullptr, file_name_), key);
  }

  void add(const Pool& pool, const KeyOrigins& origins) {
    add_all(pool, origins, pool_timeout_keys, pool.timeouts);
    add_all(pool, origins, probe_duration_keys, pool.probe);
    add_all(pool, origins, agent_duration_keys, pool.agent);
    add_all(pool, origins, health_duration_keys, pool.health);
    add_all(pool, origins, admission_duration_keys, pool.admission);
  }

  std::string text() const {
    std::array<size_t, columns> widths{};
    for (const Row& row : rows_)
      for (size_t column = 0; column < columns; ++column)
        widths[column] = std::max(widths[column], row[column].size());
    std::string out;
    for (const Row& row : rows_) {
      for (size_t column = 0; column + 1 < columns; ++column)
        out.append(row[column]).append(widths[column] + 2 - row[column].size(), ' ');
      out.append(row.back()).append("\n");
    }
    return out;
  }

 private:
  template <typename Keys, typename Owner>
  void add_all(const Pool& pool, const KeyOrigins& origins, const Keys& keys, const Owner& owner) {
    for (const auto& key : keys) {
      const std::string_view ruler = ruled_out_by(pool, key.name);
      const std::string_view decides = ruler.empty() ? key.name : ruler;
      add("pool." + pool.name + "." + std::string(key.name), ruler.empty() ? owner.*key.member : Duration{0},
          origin_text(origins, decides, &pool, file_name_), key);
    }
  }

  void add(std::string name, Duration value, std::string from, const DurationRule& rule) {
    rows_.push_back({std::move(name), value.count() == 0 ? "off" : format_duration(value), std::move(from),
                     std::string(rule.waited_for), std::string(rule.when_over)});
  }

  std::string_view file_name_;
  std::vector<Row> rows_;
};

std::string explain_kind(const Pool& pool, const KeyOrigins& origins, std::string_view file_name) {
  const std::vector<KindFact> facts = facts_of(pool.kind);
  std::string set, overridden;
  for (const KindFact& fact : facts) {
    if (origins.at(fact.key).from == Origin::From::kind)
      set.append(set.empty() ? "" : ", ").append(fact.text);
    else
      overridden.append(overridden.empty() ? "; overridden: " : ", ")
          .append(fact.key)
          .append(" by ")
          .append(origin_text(origins, fact.key, &pool, file_name));
  }
  return "  pool " + pool.name + ": kind " + std::string(text_of<Kind>(kind_words, pool.kind)) + ": " +
         (facts.empty() ? "nothing differs from the defaults"
          : set.empty() ? "nothing"
                        : set) +
         overridden + "\n";
}

}  // namespace

std::string explain_kinds(const Config& config, const Origins& origins, std::string_view file_name) {
  std::string out;
  for (size_t index = 0; index < config.pools.size(); ++index)
    if (origins.pools[index].contains(kind_key.name))
      out += explain_kind(config.pools[index], origins.pools[index], file_name);
  return out;
}

std::string explain_timeouts(const Config& config, const Origins& origins, std::string_view file_name) {
  TimeoutTable table(file_name);
  table.add(config.timeouts, origins.timeouts);
  table.add(config.dns, origins.dns);
  for (size_t index = 0; index < config.pools.size(); ++index)
    table.add(config.pools[index], origins.pools[index]);
  return table.text();
}

}  // namespace breakwater::config
