// stormgen as a table of contents: understand the command line, then be a server, compare,
// print, or storm.
#include <cstdio>
#include <string_view>

#include "command/command_line.h"
#include "command/run_compare.h"
#include "command/run_storm.h"
#include "origin/run.h"

int main(int argc, char** argv) {
  using breakwater::storm::CommandLine;
  if (argc > 1 && std::string_view(argv[1]) == "origin")
    return breakwater::storm::origin::run_origin(argc - 1, argv + 1);
  const CommandLine line = breakwater::storm::parse_command_line(argc, argv);
  if (line.command == CommandLine::Command::compare) return breakwater::storm::run_compare(line.compare);
  if (line.command == CommandLine::Command::storm) return breakwater::storm::run_storm(line);
  std::fputs(line.text.c_str(), line.exit_status == 0 ? stdout : stderr);
  return line.exit_status;
}
