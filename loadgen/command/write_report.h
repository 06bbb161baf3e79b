// What becomes of a finished storm's report: its forms into files, and the conditions of --fail-if.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "command/command_line.h"
#include "report/fail_if.h"
#include "report/report.h"

namespace breakwater::storm {

// Before the storm: what is wrong in one is an error then, not after an hour. Otherwise all that is wrong, as
// lines for a terminal.
std::expected<std::vector<Condition>, std::string> read_conditions(const ReportForms& forms,
                                                                   const Scenario& scenario);

// False: a file can't be written; the others are, and what is wrong is on standard error.
bool write_forms(const ReportForms& forms, const Report& report);

// A line for each condition that is met. False: one is.
bool passes(const std::vector<Condition>& conditions, const Report& report);

}  // namespace breakwater::storm
