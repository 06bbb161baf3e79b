// The command line as a value: which command, the final configuration, or the text to print and the exit
// status.
#pragma once

#include <string>

#include "app/ctl.h"
#include "config/config.h"

namespace breakwater::app {

struct CommandLine {
  enum class Command : uint8_t { run, check, ctl, version, help, failed };
  Command command = Command::failed;
  config::Config config;  // of run: the file, overridden by options; of check: the file
  Ctl ctl;                // of ctl
  std::string text;       // to print: on standard output if exit_status is 0, otherwise on standard error
  int exit_status = 0;    // 2: the command line or the configuration is wrong, and nothing was started
};

// Reads the configuration file, and nothing else. `version` makes the text of --version.
CommandLine parse_command_line(int argc, const char* const* argv, std::string (*version)());

}  // namespace breakwater::app
