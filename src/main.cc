// Breakwater as a table of contents: understand the command line, then check, print, ask or run.
#include <cstdio>
#include <string>
#include <vector>

#include "app/command_line.h"
#include "app/ctl.h"
#include "app/descriptors.h"
#include "app/files_check.h"
#include "app/say.h"
#include "app/server.h"
#include "app/version.h"

namespace app = breakwater::app;

namespace {

// True: there was something to complain of.
bool complain_of_files(const breakwater::config::Config& config) {
  const std::vector<std::string> faults = app::faults_of_files(config);
  for (const std::string& fault : faults) app::say(fault);
  return !faults.empty();
}

}  // namespace

int main(int argc, char** argv) {
  using Command = app::CommandLine::Command;
  if (!app::open_standard_descriptors()) {
    std::perror("breakwater: /dev/null can't be opened in place of a standard descriptor that is closed");
    return 1;
  }
  const app::CommandLine command = app::parse_command_line(argc, argv, app::version_text);
  if (command.command == Command::check && complain_of_files(command.config)) return 2;
  if (command.exit_status != 0)
    std::fputs(command.text.c_str(), stderr);
  else if (!command.text.empty() && !app::print(command.text))
    return 1;
  if (command.command == Command::ctl) return app::run_ctl(command.ctl);
  if (command.command != Command::run) return command.exit_status;
  return app::run_server(command.config);
}
