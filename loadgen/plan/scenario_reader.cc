#include "plan/scenario_reader.h"

#include <algorithm>

#include "plan/rate.h"

namespace breakwater::storm {

using namespace std::string_literals;

namespace {

std::string_view scenario_table_with_key(std::string_view name) {
  const auto among = [name](std::span<const std::string_view> keys) {
    return std::find(keys.begin(), keys.end(), name) != keys.end();
  };
  if (among(storm_keys)) return "[storm]";
  if (among(target_keys)) return "[target]";
  if (among(runner_keys)) return "[runners]";
  if (among(operation_keys)) return "[operation.NAME]";
  if (among(arrivals_keys)) return "[arrivals.NAME]";
  return {};
}

}  // namespace

ScenarioReader::ScenarioReader(ScenarioDraft& a_draft)
    : ValueReader(a_draft, scenario_table_with_key), draft(a_draft) {}

bool ScenarioReader::read(const toml::node& node, const RateKey& key, const std::string& title,
                          Arrivals& owner) {
  const auto* const text = node.as_string();
  const std::optional<double> rate = text != nullptr ? parse_rate(text->get()) : std::nullopt;
  if (rate) {
    owner.*key.member = *rate;
    return true;
  }
  const auto* const number = node.as_integer();
  const bool lacks_unit = number != nullptr && number->get() > 0;
  report(node,
         config::ticked(key.name) + " in " + title + " must be a rate of at most " + rate_text(rate_max) +
             ", found " + (text != nullptr ? config::in_quotes(text->get()) : config::found(node)),
         lacks_unit ? "write the unit: \"" + std::to_string(number->get()) + "/s\""
                    : "rates look like \"50/s\", \"120/m\" or \"3000/h\"");
  return false;
}

std::optional<std::string> ScenarioReader::plain_text(const toml::node& node, std::string_view key,
                                                      const std::string& title, size_t bytes_max,
                                                      std::string_view example) {
  const std::string* const value = text(node, key, title, example);
  if (value == nullptr) return std::nullopt;
  const auto is_visible = [](char c) { return c > ' ' && c < 0x7f; };
  if (!value->empty() && value->size() <= bytes_max && std::all_of(value->begin(), value->end(), is_visible))
    return *value;
  report(node, config::ticked(key) + " in " + title + " can't be " + config::in_quotes(*value) +
                   ": it is 1 to " + std::to_string(bytes_max) +
                   " visible characters of ASCII, without blanks");
  return std::nullopt;
}

}  // namespace breakwater::storm
