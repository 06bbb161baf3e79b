#include "app/admin_verbs.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "config/schema.h"

namespace breakwater::app {

using backends::Word;
using nlohmann::json;

namespace {

struct Change {
  std::optional<Word> word;
  std::optional<uint32_t> weight;
};

const std::string weights = "an integer from 0 to " + std::to_string(config::weight_max);
const std::string allowed =
    R"(; write {"state": "ready"}, "drain" or "maintenance", and/or {"weight": N}, N )" + weights;

// Of two values for one key, a reader could take either. Behind a NUL the parser does not look.
json parse_strictly(const std::string& body, std::string& why) {
  std::set<std::string> seen;
  const auto look = [&](int depth, json::parse_event_t event, json& value) {
    if (event != json::parse_event_t::key || depth != 1) return true;
    const std::string key = value.get<std::string>();
    if (!seen.insert(key).second) why = "the key `" + key + "` stands there twice";
    return true;
  };
  json parsed = json::parse(body, look, false);
  if (!why.empty()) return parsed;
  if (body.empty())
    why = "the body is empty" + allowed;
  else if (parsed.is_discarded() || !parsed.is_object() || body.find('\0') != std::string::npos)
    why = "the body is no JSON object" + allowed;
  else if (parsed.empty())
    why = "the body changes nothing" + allowed;
  return parsed;
}

std::optional<Word> word_of(const json& value) {
  for (const Word word : {Word::ready, Word::drain, Word::maintenance})
    if (value == name(word)) return word;
  return std::nullopt;
}

// An empty `why` means that all of it is understood.
Change read_change(const std::string& body, std::string& why) {
  Change change;
  const json parsed = parse_strictly(body, why);
  if (!why.empty()) return change;
  for (const auto& [key, value] : parsed.items()) {
    if (key == "state") {
      change.word = word_of(value);
      if (!change.word) why = R"(`state` must be "ready", "drain" or "maintenance")";
    } else if (key == "weight") {
      if (value.is_number_unsigned() && value.get<uint64_t>() <= config::weight_max)
        change.weight = value.get<uint32_t>();
      else
        why = "`weight` must be " + weights;
    } else {
      why = "there is no key `" + key + "`" + allowed;
    }
    if (!why.empty()) break;
  }
  return change;
}

}  // namespace

AdminAnswer change_server(const AdminRequest& request, proxy::SharedPool& pool, const NamedServer& named,
                          const Moment& moment, AdminLog& log) {
  if (!request.may_change) {
    return {
        403,
        "nothing can be changed here: anybody on the network could. Bind [admin] to a loopback address or "
        "to a unix socket\n"};
  }
  std::string why;
  const Change change = read_change(request.body, why);
  if (!why.empty()) return {400, why + "\n"};
  backends::PoolHealth& health = pool.health;
  const uint32_t server = named.index;
  AdminChange said{request.who, pool.config.name, named.name, "", "", ""};
  const Word word = health.server(server).operators_word();
  if (change.word && *change.word != word) {
    health.set_word(server, *change.word, moment.now_ns);
    said.what = "state";
    said.from = name(word);
    said.to = name(*change.word);
    log.write(said);
  }
  const uint32_t weight = health.server(server).said_weight();
  if (change.weight && *change.weight != weight) {
    health.set_weight(server, *change.weight);
    said.what = "weight";
    said.from = std::to_string(weight);
    said.to = std::to_string(*change.weight);
    log.write(said);
  }
  return {200, text_of(server_row(pool, named, moment)), "application/json"};
}

}  // namespace breakwater::app
