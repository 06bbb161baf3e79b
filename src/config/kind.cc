#include "config/kind.h"

#include <algorithm>
#include <iterator>
#include <optional>

#include "base/assert.h"
#include "config/probe.h"
#include "config/schema.h"
#include "config/units.h"

namespace breakwater::config {
namespace {

// A member that is empty or false says nothing.
struct KindRule {
  Kind kind;
  std::string_view probe;  // as an operator would write it
  bool folds_case = false;
  bool repairs_headers = false;
  std::optional<UploadPackFraming> framing;
  std::optional<Duration> server_idle;
};

constexpr KindRule rules[] = {
    // Gogs never closes an unused connection, so how long we keep one is only a matter of thrift.
    {Kind::gogs, "http /healthcheck", true, true, UploadPackFraming::chunked, minute},
    {Kind::gitea, "http /api/healthz", true, true, UploadPackFraming::chunked, minute},
    // Its health pages answer to the addresses it was told, and ours need not be among them.
    {Kind::gitlab, "tcp", true, false, std::nullopt, 30 * second},
    // Apache closes an unused connection after 5 s (KeepAliveTimeout): we must be first.
    {Kind::http_backend, "tcp", false, false, UploadPackFraming::automatic, 4 * second},
    {Kind::other, "", false, false, std::nullopt, std::nullopt},
};

// What a rule may say: of which key, whether it does, how that reads, and how it is set.
struct Saying {
  std::string_view key;
  bool (*is_said)(const KindRule&);
  std::string (*text)(const KindRule&);
  void (*set)(const KindRule&, Pool&);
};

constexpr Saying sayings[] = {
    {"probe", [](const KindRule& rule) { return !rule.probe.empty(); },
     [](const KindRule& rule) { return "probe " + std::string(rule.probe); },
     [](const KindRule& rule, Pool& pool) {
       std::string why;
       const bool good = parse_probe(rule.probe, pool.probe, why);
       BW_ASSERT(good);
     }},
    {"fold_case", [](const KindRule& rule) { return rule.folds_case; },
     [](const KindRule&) { return std::string("path case is folded"); },
     [](const KindRule&, Pool& pool) { pool.folds_case = true; }},
    {"repair_headers", [](const KindRule& rule) { return rule.repairs_headers; },
     [](const KindRule&) { return std::string("headers of dumb HTTP are repaired"); },
     [](const KindRule&, Pool& pool) { pool.repairs_headers = true; }},
    {"upload_pack_framing", [](const KindRule& rule) { return rule.framing.has_value(); },
     [](const KindRule& rule) {
       return "packs are framed " + std::string(text_of<UploadPackFraming>(framing_words, *rule.framing));
     },
     [](const KindRule& rule, Pool& pool) { pool.upload_pack_framing = *rule.framing; }},
    {"server_idle", [](const KindRule& rule) { return rule.server_idle.has_value(); },
     [](const KindRule& rule) {
       return "unused connections are kept for " + format_duration(*rule.server_idle);
     },
     [](const KindRule& rule, Pool& pool) { pool.timeouts.server_idle = *rule.server_idle; }},
};

const KindRule& rule_of(Kind kind) {
  const auto rule = std::find_if(std::begin(rules), std::end(rules),
                                 [kind](const KindRule& each) { return each.kind == kind; });
  BW_ASSERT(rule != std::end(rules));
  return *rule;
}

}  // namespace

std::vector<KindFact> facts_of(Kind kind) {
  const KindRule& rule = rule_of(kind);
  std::vector<KindFact> facts;
  for (const Saying& saying : sayings)
    if (saying.is_said(rule)) facts.push_back({saying.key, saying.text(rule)});
  return facts;
}

void set_fact(Pool& pool, std::string_view key) {
  const KindRule& rule = rule_of(pool.kind);
  const auto saying = std::find_if(std::begin(sayings), std::end(sayings),
                                   [key](const Saying& each) { return each.key == key; });
  BW_ASSERT(saying != std::end(sayings));
  BW_ASSERT(saying->is_said(rule));
  saying->set(rule, pool);
}

}  // namespace breakwater::config
