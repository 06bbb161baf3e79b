// Conditions of --fail-if: whatever is written is understood, or complained of with a caret that is within
// it.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/assert.h"
#include "report/fail_if.h"

using namespace breakwater::storm;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const std::vector<std::string> operations = {"clone", "ls-remote", "push.a"};
  static const Report nothing{.facts = {}, .operations = operations, .results = {}};
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::expected<Condition, ConditionError> condition = parse_condition(text, operations);
  if (!condition) {
    BW_ASSERT(condition.error().at <= text.size());
    BW_ASSERT(!condition.error().sentence.empty());
    BW_ASSERT(condition.error().shown().ends_with("^\n"));
    return 0;
  }
  BW_ASSERT(condition->text == text);
  BW_ASSERT(condition->value >= 0 && condition->quantile >= 0 && condition->quantile <= 1);
  BW_ASSERT(!condition->is_share || condition->value <= 1);
  return 0;
}
