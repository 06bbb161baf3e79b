// stormgen as a table of contents: understand the command line, then print or storm.
#include <cstdio>

#include "command/command_line.h"
#include "command/run_storm.h"

int main(int argc, char** argv) {
  using breakwater::storm::CommandLine;
  const CommandLine line = breakwater::storm::parse_command_line(argc, argv);
  if (line.command == CommandLine::Command::storm) return breakwater::storm::run_storm(line);
  std::fputs(line.text.c_str(), line.exit_status == 0 ? stdout : stderr);
  return line.exit_status;
}
