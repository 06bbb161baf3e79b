// The results as JSON, for programs. docs/stormgen.md describes it; what changes the meaning of a field
// changes `schema`.
#pragma once

#include <string>

#include "measure/results.h"
#include "plan/scenario.h"
#include "report/run_facts.h"

namespace breakwater::storm {

inline constexpr int json_schema = 1;

std::string json_report(const Scenario& scenario, const RunFacts& facts, const Results& results);

}  // namespace breakwater::storm
