// What becomes of a finished storm's report: its forms into files, and the conditions of --fail-if.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "command/command_line.h"
#include "command/output_file.h"
#include "report/fail_if.h"
#include "report/report.h"

namespace breakwater::storm {

// Before the storm: what is wrong in one is an error then, not after an hour. Otherwise all that is wrong, as
// lines for a terminal.
std::expected<std::vector<Condition>, std::string> read_conditions(const ReportForms& forms,
                                                                   const Scenario& scenario);

// The files of those forms that are asked for, opened before the storm.
class ReportFiles {
 public:
  // Otherwise a sentence: one of them can't be written.
  static std::expected<ReportFiles, std::string> open(const ReportForms& forms);
  // Once. False: a file could not be written; the others are, and what is wrong is on standard error.
  bool write(const Report& report);

 private:
  struct Form {
    OutputFile file;
    std::string (*text_of)(const Report& report);
  };
  std::vector<Form> forms_;
};

// A line for each condition that is met. False: one is.
bool passes(const std::vector<Condition>& conditions, const Report& report);

}  // namespace breakwater::storm
