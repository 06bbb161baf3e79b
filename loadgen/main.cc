// stormgen as a table of contents: understand the command line, then be a server, compare,
// print, or storm.
#include <string_view>

#include "command/command_line.h"
#include "command/run_compare.h"
#include "command/run_storm.h"
#include "command/say.h"
#include "origin/run.h"

namespace {

// The exit status, whether or not somebody took what was said.
int run(int argc, char** argv) {
  using namespace breakwater::storm;
  if (argc > 1 && std::string_view(argv[1]) == "origin") return origin::run_origin(argc - 1, argv + 1);
  const CommandLine line = parse_command_line(argc, argv);
  if (line.command == CommandLine::Command::compare) return run_compare(line.compare);
  if (line.command == CommandLine::Command::storm) return run_storm(line);
  if (line.exit_status == 0)
    say(line.text);
  else
    complain(line.text);
  return line.exit_status;
}

}  // namespace

int main(int argc, char** argv) {
  const int status = run(argc, argv);
  return breakwater::storm::all_was_taken() || status != 0 ? status : 1;
}
