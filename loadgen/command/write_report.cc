#include "command/write_report.h"

#include <utility>

#include "command/say.h"
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

std::expected<ReportFiles, std::string> ReportFiles::open(const ReportForms& forms) {
  const std::pair<const std::string&, std::string (*)(const Report&)> all[] = {
      {forms.json, json_report},
      {forms.html, html_report},
      {forms.csv, csv_report},
      {forms.hdr, interval_log},
      {forms.hgrm, [](const Report& report) { return percentile_distribution(report.results.all.latency); }},
  };
  ReportFiles files;
  for (const auto& [path, text_of] : all) {
    if (path.empty()) continue;
    std::expected<OutputFile, std::string> file = OutputFile::open(path);
    if (!file) return std::unexpected(file.error());
    files.forms_.push_back({std::move(*file), text_of});
  }
  return files;
}

bool ReportFiles::write(const Report& report) {
  bool is_written = true;
  for (Form& each : forms_) {
    const std::string why = each.file.write(each.text_of(report));
    if (why.empty()) continue;
    complain_of(why);
    is_written = false;
  }
  return is_written;
}

bool passes(const std::vector<Condition>& conditions, const Report& report) {
  bool has_passed = true;
  for (const Condition& each : conditions) {
    const Judgement judgement = judge(each, report);
    if (!judgement.is_met) continue;
    if (has_passed) say("\n");
    say("FAILED: " + judgement.sentence + "\n");
    has_passed = false;
  }
  return has_passed;
}

}  // namespace breakwater::storm
