// Breakwater as a table of contents: understand the command line, then check, print, ask or run.
#include <cstdio>
#include <string>

#include "app/command_line.h"
#include "app/ctl.h"
#include "app/descriptors.h"
#include "app/say.h"
#include "app/server.h"
#include "app/version.h"

int main(int argc, char** argv) {
  using breakwater::app::CommandLine;
  if (!breakwater::app::open_standard_descriptors()) {
    std::perror("breakwater: /dev/null can't be opened in place of a standard descriptor that is closed");
    return 1;
  }
  const CommandLine command = breakwater::app::parse_command_line(argc, argv, breakwater::app::version_text);
  if (command.exit_status != 0)
    std::fputs(command.text.c_str(), stderr);
  else if (!command.text.empty() && !breakwater::app::print(command.text))
    return 1;
  if (command.command == CommandLine::Command::ctl) return breakwater::app::run_ctl(command.ctl);
  if (command.command != CommandLine::Command::run) return command.exit_status;
  return breakwater::app::run_server(command.config);
}
