// Agents' lines: numbers within their bounds, what is for people lies within the line, and the order of words
// of different sorts says nothing.
#include <string>
#include <string_view>

#include "base/assert.h"
#include "wire/agent_check.h"

using namespace breakwater::wire;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const size_t end = end_of_agent_line(bytes);
  BW_ASSERT(end == std::string_view::npos || end < bytes.size());
  const std::string_view line = bytes.substr(0, end);
  const AgentAnswer answer = parse_agent_line(line);
  if (answer.weight_percent) BW_ASSERT(*answer.weight_percent <= agent_percent_max);
  BW_ASSERT(answer.reason.size() < line.size() || line.empty());
  if (!answer.reason.empty()) BW_ASSERT(line.ends_with(answer.reason));
  const std::string behind = "maint,7% " + std::string(line);
  const AgentAnswer again = parse_agent_line(behind);
  BW_ASSERT(again.health == answer.health);
  BW_ASSERT(again.order ==
            (answer.order == AgentAnswer::Order::unsaid ? AgentAnswer::Order::maintenance : answer.order));
  BW_ASSERT(again.weight_percent == answer.weight_percent.value_or(7));
  BW_ASSERT(again.reason == answer.reason);
  return 0;
}
