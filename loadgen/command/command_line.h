// The command line as a value: the scenario that is to be run and where its results go, what is to be
// compared, or a text to print.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "plan/scenario.h"

namespace breakwater::storm {

// Where the results of a storm go, besides the summary, and what is thought of them.
struct ReportForms {
  std::string json, html, csv, hdr, hgrm;  // files; empty: none is written
  std::vector<std::string> fail_if;        // conditions (report/fail_if.h), not yet read
};

// Two reports that are to be compared.
struct CompareAsked {
  std::string a, b;  // files, as --json wrote them
  std::string html;  // a file; empty: none is written
  uint64_t seed = 1;
  bool allows_invalid = false;
  bool fails_if_worse = false;
};

struct CommandLine {
  enum class Command : uint8_t { storm, compare, print };
  Command command = Command::print;
  Scenario scenario;
  ReportForms forms;
  CompareAsked compare;
  bool is_dry = false;         // show the plan, and begin nothing
  bool allows_target = false;  // --allow-target named its host
  std::string text;            // to print: on standard error unless exit_status is 0
  int exit_status = 0;         // 2: the command line or the file is wrong, and nothing was begun
};

// Reads the scenario's file and those that are named, if there are any.
CommandLine parse_command_line(int argc, const char* const* argv);

}  // namespace breakwater::storm
