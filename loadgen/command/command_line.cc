#include "command/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <expected>
#include <span>
#include <sstream>
#include <vector>

#include "command/ceiling.h"
#include "command/load_scenario.h"
#include "command/options.h"
#include "command/plan_text.h"
#include "command/quick_scenario.h"
#include "config/message.h"
#include "config/nearest.h"
#include "plan/arrivals.h"
#include "plan/profile.h"
#include "plan/scenario_schema.h"

namespace breakwater::storm {

namespace {

struct Options {
  StormOptions storm;
  FileOptions file;
  QuickOptions quick;
};

// In the order of verb_words.
constexpr const char* helps_of_verbs[] = {
    "ask for the refs, as `git ls-remote` does",
    "clone, whole or as --depth and --filter say",
    "clone once, then fetch what is new, as long-lived CI machines do",
    "fetch one commit by its id (--ref, or the tip)",
    "fetch all tags",
    "push fresh synthetic commits, each runner to a branch of its own",
    "download LFS objects (--path OID:BYTES,...)",
    "read files as clients without the smart protocol do",
    "read a page of the web interface (--path)",
};
static_assert(std::size(helps_of_verbs) == std::size(verb_words));

void add_forms(CLI::App& command, ReportForms& forms) {
  command.add_option("--json", forms.json, "a file for the results: all of them, for programs");
  command.add_option("--html", forms.html,
                     "a file: the results as a page with plots, that needs nothing else");
  command.add_option("--csv", forms.csv, "a file: a row for each second and operation");
  command.add_option("--hdr", forms.hdr, "a file: the latencies of each second, as an HdrHistogram log");
  command.add_option("--hgrm", forms.hgrm,
                     "a file: the percentiles of all latencies, for HdrHistogram's plotter");
  command
      .add_option("--fail-if", forms.fail_if,
                  "exit with 1 if so, as often as needed: 'p99.ttfb > 500ms', 'clone.failures > 0.1%'")
      ->allow_extra_args(false);
}

void add_compare(CLI::App& command, CompareAsked& asked) {
  command.add_option("A", asked.a, "a report that --json wrote: what B is measured by")->required();
  command.add_option("B", asked.b, "another")->required();
  command.add_option("--html", asked.html, "a file: the comparison as a page");
  command.add_option("--seed", asked.seed, "of the dice that make the intervals");
  command.add_flag("--allow-invalid", asked.allows_invalid, "compare runs that are INVALID, too");
  command.add_flag("--fail-if-worse", asked.fails_if_worse, "exit with 1 if B is worse in anything");
}

void add_storm_options(CLI::App& command, StormOptions& options) {
  command.add_option("--seed", options.seed, "of all dice");
  command.add_option("--cores", options.cores, "threads")->check(CLI::Range(1u, storm_cores_max));
  command
      .add_option("--driver", options.driver,
                  "native: requests of our own; git: the installed git, a process each, for small storms")
      ->check(CLI::IsMember({"native", "git"}));
  command.add_flag("--dry-run", options.dry_run, "show the plan, and begin nothing");
  command.add_option("--allow-target", options.allow_target, "a host that is not this machine, by its name");
  command.add_option("--max-rate", options.max_rate, "with it: a ceiling for what begins in a second");
  command.add_option("--max-runners", options.max_runners, "with it: a ceiling for the runners");
}

void add_times(CLI::App& command, QuickOptions& options) {
  CLI::Option* const rate =
      command.add_option("--rate", options.rate, "operations that begin: 50/s, 120/m, 3000/h");
  CLI::Option* const poisson = command.add_flag("--poisson", options.poisson,
                                                "at random instead of steadily, as independent machines do");
  CLI::Option* const closed = command.add_flag(
      "--closed", options.closed, "no rate: each runner begins its next operation when one has ended");
  CLI::Option* const burst =
      command.add_option("--burst", options.burst, "no rate: so many at once, within the time of --within")
          ->check(CLI::Range(1u, storm_runners_max));
  CLI::Option* const fan_out =
      command.add_option("--fan-out", options.fan_out, "no rate: a push, and so many of them behind it")
          ->check(CLI::Range(1u, storm_runners_max - 1));
  for (CLI::Option* const each : {burst, fan_out})
    for (CLI::Option* const other : {rate, poisson, closed}) each->excludes(other);
  burst->excludes(fan_out);
  command.add_option("--within", options.within, "by dice, of a burst or a fan-out: 30s");
  command.add_option("--every", options.every, "the burst or the fan-out again and again: 60s");
  command.add_option("--for", options.length, "how long operations begin: 60s");
  command.add_option("--grace", options.grace, "so long those may take that have begun then");
  command.add_option("--warm-up", options.warm_up, "what begins in it is not counted");
}

void add_quick_options(CLI::App& command, QuickOptions& options) {
  command.add_option("URL", options.url, "the repository: http://127.0.0.1:3000/team/app.git")->required();
  command.add_option("--runners", options.runners, "machines that it looks like")
      ->check(CLI::Range(1u, storm_runners_max));
  add_times(command, options);
  command.add_option("--depth", options.depth, "of the history; 0: all of it");
  command.add_option("--filter", options.filter, "blob:none")->check(CLI::IsMember({"blob:none"}));
  command.add_option("--protocol", options.protocol, "Git's, 0, 1 or 2")->check(CLI::Range(0u, 2u));
  std::vector<std::string> clients;
  for (const Profile& each : profiles()) clients.emplace_back(each.name);
  command.add_option("--client", options.client, "whose requests they look like")
      ->check(CLI::IsMember(clients));
  command.add_option("--ref", options.ref, "a branch, a tag or a commit's id");
  command.add_option("--path", options.path,
                     "needed by page: what comes behind the repository; and by lfs: its objects");
  command.add_option("--commits", options.commits, "of each push")->check(CLI::Range(1u, 1000u));
  command.add_option("--user", options.user, "for Basic authentication");
  command.add_option("--password-file", options.password_file, "has the password or token in its first line");
  command.add_flag("--preemptive", options.preemptive,
                   "credentials go with the first request, not after a 401");
  command.add_option("--tls-ca", options.ca, "who signed the server's certificate; PEM");
  command.add_flag("--tls-no-verify", options.no_verify, "any certificate will do");
  command.add_option("--download", options.download, "of each runner, bytes a second: 1MiB");
  command.add_option("--deep-check", options.deep_check, "of 1000 packs so many are unpacked by git")
      ->check(CLI::Range(0u, 1000u));
}

void add_commands(CLI::App& app, Options& options, CommandLine& line) {
  CLI::App& run = *app.add_subcommand("run", "run the storm of a file (docs/scenarios.md)");
  CLI::App& check =
      *app.add_subcommand("check", "say what the storm of a file would do, or what is wrong with it");
  for (CLI::App* const each : {&run, &check}) {
    each->add_option("FILE", options.file.path, "a scenario")->required();
    each->add_option("--target", options.file.target,
                     "a server, instead of the file's: http://127.0.0.1:3000");
  }
  add_storm_options(run, options.storm);
  add_forms(run, line.forms);
  for (size_t i = 0; i < std::size(verb_words); ++i) {
    CLI::App& command = *app.add_subcommand(std::string(verb_words[i].text), helps_of_verbs[i]);
    add_quick_options(command, options.quick);
    add_storm_options(command, options.storm);
    add_forms(command, line.forms);
  }
  add_compare(*app.add_subcommand("compare", "say whether one storm's results differ from another's"),
              line.compare);
  app.add_subcommand("origin", "be a Git server for benchmarks; `stormgen origin --help`");  // main.cc has it
}

void refuse(CommandLine& line, std::string text) {
  line.command = CommandLine::Command::print;
  line.text = std::move(text);
  line.exit_status = 2;
}

// "stormgen: 'foo' is no command", of the first word, which has to be one. Empty: it is one, or an option.
std::string why_no_command(const CLI::App& app, std::string_view word) {
  std::vector<std::string> names;
  for (const CLI::App* const each : app.get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(each->get_name());
  if (word.starts_with('-') || std::ranges::find(names, word) != names.end()) return {};
  const std::vector<std::string_view> known(names.begin(), names.end());
  const std::string_view near = config::nearest(word, known);
  std::string text = "stormgen: '" + config::shown(word) + "' is no command";
  if (!near.empty()) return text + "; " + config::did_you_mean(near) + "\n";
  text += "; commands are ";
  for (size_t i = 0; i < names.size(); ++i)
    text += (i == 0 ? "" : i + 1 < names.size() ? ", " : " and ") + names[i];
  return text + "\n";
}

void check_file(const FileOptions& options, CommandLine& line) {
  const std::expected<Scenario, std::string> scenario = load_scenario(options.path, options.target);
  if (!scenario) return refuse(line, scenario.error());
  const std::expected<std::vector<Arrival>, std::string> arrivals = plan_arrivals(*scenario);
  if (!arrivals) return refuse(line, options.path + ": error: " + arrivals.error() + "\n");
  line.text = options.path + ": ok\n" + plan_in_a_line(*scenario, *arrivals);
}

void take_file(const FileOptions& options, const StormOptions& storm, CommandLine& line) {
  std::expected<Scenario, std::string> scenario = load_scenario(options.path, options.target);
  if (!scenario) return refuse(line, scenario.error());
  line.scenario = std::move(*scenario);
  if (storm.seed) line.scenario.seed = *storm.seed;
  if (storm.cores) line.scenario.cores = std::min(*storm.cores, line.scenario.runners.count);
  line.command = CommandLine::Command::storm;
}

void take_quick(const Options& options, Verb verb, CommandLine& line) {
  const std::string why = make_quick_scenario(options.quick, options.storm, verb, line.scenario);
  if (!why.empty()) return refuse(line, "stormgen: " + why + "\n");
  line.command = CommandLine::Command::storm;
}

void take_storm_options(const StormOptions& options, CommandLine& line) {
  if (!options.driver.empty()) line.scenario.driver = options.driver == "git" ? Driver::git : Driver::native;
  line.is_dry = options.dry_run;
  line.allows_target = !options.allow_target.empty();
  const std::string why = why_not_allowed(options, line.scenario);
  if (!why.empty()) refuse(line, "stormgen: " + why + "\n");
}

}  // namespace

CommandLine parse_command_line(int argc, const char* const* argv) {
  CommandLine line;
  Options options;
  CLI::App app(
      "stormgen loads Git servers as fleets of CI machines do, and checks every pack.\n"
      "It begins nothing against another machine than this one unless it is told to (--allow-target).");
  app.set_version_flag("--version", "stormgen " BW_VERSION);
  app.require_subcommand(1);
  add_commands(app, options, line);
  if (const std::string why = argc > 1 ? why_no_command(app, argv[1]) : ""; !why.empty()) {
    refuse(line, why);
    return line;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    std::ostringstream out, complaint;
    line.exit_status = app.exit(error, out, complaint) == 0 ? 0 : 2;
    line.text = out.str() + complaint.str();
    return line;
  }
  if (app.got_subcommand("compare")) line.command = CommandLine::Command::compare;
  if (app.got_subcommand("check")) check_file(options.file, line);
  if (app.got_subcommand("run")) take_file(options.file, options.storm, line);
  for (const config::Word<Verb>& each : verb_words)
    if (app.got_subcommand(std::string(each.text))) take_quick(options, each.value, line);
  if (line.command == CommandLine::Command::storm) take_storm_options(options.storm, line);
  return line;
}

}  // namespace breakwater::storm
