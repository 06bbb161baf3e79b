// Report: all that is said of one storm, as one value: where its figures come from, the names of its
// operations, its results. Every form that a report has (JSON, CSV, logs, the page, the summary, a
// comparison) is made of it, and JSON can be read back to it (read_json.h).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "measure/results.h"
#include "plan/scenario.h"
#include "report/run_facts.h"

namespace breakwater::storm {

struct Report {
  RunFacts facts;
  std::vector<std::string> operations;  // the names of Results::operations
  Results results;                      // of one that was read, without runners
};

Report make_report(const Scenario& scenario, RunFacts facts, Results results);

// Derived from the effort; 0: nothing to divide by.
double operations_per_second(const Report& report, const OperationCounts& counts) noexcept;  // that went well
double cpu_seconds_per_gigabyte(const Results& results) noexcept;                            // 10^9 received
double operations_per_cpu_second(const Results& results) noexcept;
double failed_share(const OperationCounts& counts) noexcept;  // of those that ended, 0 to 1

// Latency or a phase by the name it has in reports and conditions: "latency", "first_byte", also "ttfb" for
// it. Null: there is no such name.
const Latencies* latencies_named(const OperationCounts& counts, std::string_view name) noexcept;

}  // namespace breakwater::storm
