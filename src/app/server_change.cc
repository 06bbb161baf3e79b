#include "app/server_change.h"

#include <nlohmann/json.hpp>
#include <set>

#include "config/message.h"
#include "config/schema.h"

namespace breakwater::app {

using backends::Word;
using nlohmann::json;

namespace {

const std::string weight_words = "an integer from 0 to " + std::to_string(config::weight_max);
const std::string allowed_words =
    R"(; write {"state": "ready"}, "drain" or "maintenance", and/or {"weight": N}, N )" + weight_words;

// Of two values for one key, a reader could take either. Behind a NUL the parser does not look.
json parse_strictly(const std::string& body, std::string& why) {
  std::set<std::string> seen;
  const auto look = [&](int depth, json::parse_event_t event, json& value) {
    if (event != json::parse_event_t::key || depth != 1) return true;
    const std::string key = value.get<std::string>();
    if (!seen.insert(key).second) why = "the key " + config::ticked(key) + " stands there twice";
    return true;
  };
  json parsed = json::parse(body, look, false);
  if (!why.empty()) return parsed;
  if (body.empty())
    why = "the body is empty" + allowed_words;
  else if (parsed.is_discarded() || !parsed.is_object() || body.find('\0') != std::string::npos)
    why = "the body is no JSON object" + allowed_words;
  else if (parsed.empty())
    why = "the body changes nothing" + allowed_words;
  return parsed;
}

std::optional<Word> word_of(const json& value) {
  for (const Word word : {Word::ready, Word::drain, Word::maintenance})
    if (value == name(word)) return word;
  return std::nullopt;
}

}  // namespace

std::expected<ServerChange, std::string> read_server_change(const std::string& body) {
  std::string why;
  const json parsed = parse_strictly(body, why);
  if (!why.empty()) return std::unexpected(std::move(why));
  ServerChange change;
  for (const auto& [key, value] : parsed.items()) {
    if (key == "state") {
      change.word = word_of(value);
      if (!change.word) return std::unexpected(R"(`state` must be "ready", "drain" or "maintenance")");
    } else if (key == "weight") {
      if (!value.is_number_unsigned() || value.get<uint64_t>() > config::weight_max)
        return std::unexpected("`weight` must be " + weight_words);
      change.weight = value.get<uint32_t>();
    } else {
      return std::unexpected("there is no key " + config::ticked(key) + allowed_words);
    }
  }
  return change;
}

}  // namespace breakwater::app
