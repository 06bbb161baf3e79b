// The command line as a value: the scenario that is to be run, where its results go, or a text to print.
#pragma once

#include <string>

#include "plan/scenario.h"

namespace breakwater::storm {

struct CommandLine {
  enum class Command : uint8_t { storm, print };
  Command command = Command::print;
  Scenario scenario;
  std::string json;            // a file; empty: none is written
  bool is_dry = false;         // show the plan, and begin nothing
  bool allows_target = false;  // --allow-target named its host
  std::string text;            // to print: on standard error unless exit_status is 0
  int exit_status = 0;         // 2: the command line or the file is wrong, and nothing was begun
};

// Reads the scenario's file and those that are named, if there are any.
CommandLine parse_command_line(int argc, const char* const* argv);

}  // namespace breakwater::storm
