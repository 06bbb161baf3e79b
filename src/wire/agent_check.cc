#include "wire/agent_check.h"

#include <algorithm>
#include <charconv>

#include "wire/http_head.h"

namespace breakwater::wire {

namespace {

constexpr std::string_view separators = " \t,";
constexpr std::string_view maxconn = "maxconn:";

// A whole number and nothing else; one that is too large for the type counts as the largest.
std::optional<uint32_t> parse_saturated(std::string_view text) noexcept {
  uint32_t number = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (end != text.data() + text.size() || status == std::errc::invalid_argument) return std::nullopt;
  return status == std::errc::result_out_of_range ? UINT32_MAX : number;
}

bool read_health(std::string_view word, AgentAnswer& answer) noexcept {
  const auto is = [word](std::string_view name) { return equals_ignoring_case(word, name); };
  const bool is_up = is("up");
  // HAProxy's program takes "fail", its manual says "failed".
  if (!is_up && !is("down") && !is("stopped") && !is("fail") && !is("failed")) return false;
  answer.health = is_up ? AgentAnswer::Health::up : AgentAnswer::Health::down;
  return true;
}

bool read_order(std::string_view word, AgentAnswer& answer) noexcept {
  if (equals_ignoring_case(word, "ready"))
    answer.order = AgentAnswer::Order::ready;
  else if (equals_ignoring_case(word, "drain"))
    answer.order = AgentAnswer::Order::drain;
  else if (equals_ignoring_case(word, "maint"))
    answer.order = AgentAnswer::Order::maintenance;
  else
    return false;
  return true;
}

void read_number(std::string_view word, AgentAnswer& answer) noexcept {
  if (word.ends_with('%')) {
    const std::optional<uint32_t> percent = parse_saturated(word.substr(0, word.size() - 1));
    if (percent) answer.weight_percent = std::min(*percent, agent_percent_max);
  } else if (equals_ignoring_case(word.substr(0, maxconn.size()), maxconn)) {
    const std::optional<uint32_t> count = parse_saturated(word.substr(maxconn.size()));
    if (count) answer.connections_max = count;
  }
}

}  // namespace

size_t end_of_agent_line(std::string_view bytes) noexcept {
  return bytes.find_first_of("\r\n");
}

AgentAnswer parse_agent_line(std::string_view line) noexcept {
  AgentAnswer answer;
  for (;;) {
    line.remove_prefix(std::min(line.find_first_not_of(separators), line.size()));
    if (line.empty()) return answer;
    if (line.front() == '#') {
      line.remove_prefix(std::min(line.find_first_not_of(" \t", 1), line.size()));
      answer.reason = line;
      return answer;
    }
    const std::string_view word = line.substr(0, line.find_first_of(separators));
    if (!read_health(word, answer) && !read_order(word, answer)) read_number(word, answer);
    line.remove_prefix(word.size());
  }
}

}  // namespace breakwater::wire
