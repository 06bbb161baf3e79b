#include "command/write_report.h"

#include <fmt/format.h>

#include <cstdio>

#include "command/write_file.h"
#include "report/csv.h"
#include "report/hgrm.h"
#include "report/html.h"
#include "report/interval_log.h"
#include "report/json.h"

namespace breakwater::storm {

std::expected<std::vector<Condition>, std::string> read_conditions(const ReportForms& forms,
                                                                   const Scenario& scenario) {
  std::vector<std::string> operations;
  for (const Operation& each : scenario.operations) operations.push_back(each.name);
  std::vector<Condition> conditions;
  std::string complaints;
  for (const std::string& text : forms.fail_if) {
    std::expected<Condition, ConditionError> condition = parse_condition(text, operations);
    if (condition)
      conditions.push_back(std::move(*condition));
    else
      complaints += "stormgen: --fail-if: " + condition.error().shown();
  }
  if (!complaints.empty()) return std::unexpected(complaints);
  return conditions;
}

bool write_forms(const ReportForms& forms, const Report& report) {
  bool is_written = true;
  if (!forms.json.empty()) is_written &= write_file(forms.json, json_report(report));
  if (!forms.html.empty()) is_written &= write_file(forms.html, html_report(report));
  if (!forms.csv.empty()) is_written &= write_file(forms.csv, csv_report(report));
  if (!forms.hdr.empty()) is_written &= write_file(forms.hdr, interval_log(report));
  if (!forms.hgrm.empty())
    is_written &= write_file(forms.hgrm, percentile_distribution(report.results.all.latency));
  return is_written;
}

bool passes(const std::vector<Condition>& conditions, const Report& report) {
  bool has_passed = true;
  for (const Condition& each : conditions) {
    const Judgement judgement = judge(each, report);
    if (!judgement.is_met) continue;
    if (has_passed) fmt::print("\n");
    fmt::print("FAILED: {}\n", judgement.sentence);
    has_passed = false;
  }
  return has_passed;
}

}  // namespace breakwater::storm
