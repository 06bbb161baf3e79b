#include "command/command_line.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdint>
#include <fstream>
#include <optional>

#include "command/url.h"
#include "config/units.h"
#include "plan/profile.h"

namespace breakwater::storm {

namespace {

constexpr uint32_t runners_max = 100'000;
constexpr uint32_t cores_max = 64;

struct Options {
  std::string url;
  uint32_t runners = 20;
  std::string rate = "10/s";
  std::string length = "10s", grace = "30s", warm_up = "0s";
  bool closed = false, poisson = false;
  uint32_t depth = 0;
  std::string filter;
  uint32_t protocol = 2;
  std::string client = "git";
  std::string ref, path;
  uint32_t commits = 1;
  std::string user, password_file;
  bool preemptive = false;
  std::string ca;
  bool no_verify = false;
  std::string download;
  uint64_t seed = 1;
  uint32_t cores = 1;
  uint32_t deep_check = 10;
  ReportForms forms;
  bool dry_run = false;
  std::string allow_target, max_rate;
  uint32_t max_runners = 0;
};

struct VerbName {
  const char* name;
  Verb verb;
  const char* help;
};
constexpr VerbName verb_names[] = {
    {"ls-remote", Verb::ls_remote, "ask for the refs, as `git ls-remote` does"},
    {"clone", Verb::clone, "clone, whole or as --depth and --filter say"},
    {"fetch", Verb::fetch, "clone once, then fetch what is new, as long-lived CI machines do"},
    {"fetch-object", Verb::fetch_object, "fetch one commit by its id (--ref, or the tip)"},
    {"tags", Verb::tags, "fetch all tags"},
    {"push", Verb::push, "push fresh synthetic commits, each runner to a branch of its own"},
    {"lfs", Verb::lfs, "download LFS objects (--path OID:BYTES,...)"},
    {"dumb", Verb::dumb, "read files as clients without the smart protocol do"},
    {"page", Verb::page, "read a page of the web interface (--path)"},
};

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

void add_options(CLI::App& command, Options& options) {
  command.add_option("URL", options.url, "the repository: http://127.0.0.1:3000/team/app.git")->required();
  command.add_option("--runners", options.runners, "machines that it looks like")
      ->check(CLI::Range(1u, runners_max));
  command.add_option("--rate", options.rate, "operations that begin: 50/s, 120/m, 3000/h");
  command.add_flag("--poisson", options.poisson, "at random instead of steadily, as independent machines do");
  command.add_flag("--closed", options.closed,
                   "no rate: each runner begins its next operation when one has ended");
  command.add_option("--for", options.length, "how long operations begin: 60s");
  command.add_option("--grace", options.grace, "so long those may take that have begun then");
  command.add_option("--warm-up", options.warm_up, "what begins in it is not counted");
  command.add_option("--depth", options.depth, "of the history; 0: all of it");
  command.add_option("--filter", options.filter, "blob:none")->check(CLI::IsMember({"blob:none"}));
  command.add_option("--protocol", options.protocol, "Git's, 0, 1 or 2")->check(CLI::Range(0u, 2u));
  std::vector<std::string> clients;
  for (const Profile& each : profiles()) clients.emplace_back(each.name);
  command.add_option("--client", options.client, "whose requests they look like")
      ->check(CLI::IsMember(clients));
  command.add_option("--ref", options.ref, "a branch, a tag or a commit's id");
  command.add_option("--path", options.path, "page: what comes behind the repository; lfs: its objects");
  command.add_option("--commits", options.commits, "of each push")->check(CLI::Range(1u, 1000u));
  command.add_option("--user", options.user, "for Basic authentication");
  command.add_option("--password-file", options.password_file, "has the password or token in its first line");
  command.add_flag("--preemptive", options.preemptive,
                   "credentials go with the first request, not after a 401");
  command.add_option("--tls-ca", options.ca, "who signed the server's certificate; PEM");
  command.add_flag("--tls-no-verify", options.no_verify, "any certificate will do");
  command.add_option("--download", options.download, "of each runner, bytes a second: 1MiB");
  command.add_option("--seed", options.seed, "of all dice");
  command.add_option("--cores", options.cores, "threads")->check(CLI::Range(1u, cores_max));
  command.add_option("--deep-check", options.deep_check, "of 1000 packs so many are unpacked by git")
      ->check(CLI::Range(0u, 1000u));
  add_forms(command, options.forms);
  command.add_flag("--dry-run", options.dry_run, "show the plan, and begin nothing");
  command.add_option("--allow-target", options.allow_target, "a host that is not this machine, by its name");
  command.add_option("--max-rate", options.max_rate, "with it: a ceiling for --rate");
  command.add_option("--max-runners", options.max_runners, "with it: a ceiling for --runners");
}

void add_compare(CLI::App& command, CompareAsked& asked) {
  command.add_option("A", asked.a, "a report that --json wrote: what B is measured by")->required();
  command.add_option("B", asked.b, "another")->required();
  command.add_option("--html", asked.html, "a file: the comparison as a page");
  command.add_option("--seed", asked.seed, "of the dice that make the intervals");
  command.add_flag("--allow-invalid", asked.allows_invalid, "compare runs that are INVALID, too");
  command.add_flag("--fail-if-worse", asked.fails_if_worse, "exit with 1 if B is worse in anything");
}

bool read_duration(const char* name, const std::string& text, Duration& duration, std::string& why) {
  const std::optional<config::Duration> read = config::parse_duration(text);
  if (!read) {
    why = fmt::format("{}: '{}' is no time: write 500ms, 30s, 10m or 1h", name, text);
    return false;
  }
  duration = *read;
  return true;
}

bool read_times(const Options& options, Scenario& scenario, std::string& why) {
  return read_duration("--for", options.length, scenario.length, why) &&
         read_duration("--grace", options.grace, scenario.grace, why) &&
         read_duration("--warm-up", options.warm_up, scenario.warm_up, why);
}

bool read_credentials(const Options& options, Target& target, std::string& why) {
  if (options.user.empty() && options.password_file.empty()) return true;
  if (options.user.empty() || options.password_file.empty()) {
    why = "--user and --password-file belong together";
    return false;
  }
  std::ifstream file(options.password_file);
  if (!std::getline(file, target.secret) || target.secret.empty()) {
    why = "--password-file: " + options.password_file + " has no first line that could be read";
    return false;
  }
  target.user = options.user;
  target.authentication = options.preemptive ? Authentication::basic : Authentication::challenge;
  return true;
}

// A storm against others is only begun by who says whom, and how much at most.
bool is_within_ceiling(const Options& options, const Scenario& scenario, double rate, std::string& why) {
  if (options.allow_target.empty()) return true;
  const double ceiling = read_rate(options.max_rate);
  if (options.allow_target != scenario.target.host)
    why = "--allow-target names another host than the URL";
  else if (ceiling == 0 || options.max_runners == 0)
    why = "--allow-target needs a ceiling: --max-rate 50/s and --max-runners 100";
  else if (!options.closed && rate > ceiling)
    why = "--rate is above --max-rate";
  else if (options.runners > options.max_runners)
    why = "--runners is above --max-runners";
  return why.empty();
}

std::string fill_in(const Options& options, const VerbName& verb, CommandLine& line) {
  Scenario& scenario = line.scenario;
  std::string why = read_url(options.url, scenario.target);
  const double rate = read_rate(options.rate);
  if (why.empty() && rate == 0)
    why = "--rate: '" + options.rate + "' is no rate: write 50/s, 120/m or 3000/h";
  if (!why.empty() || !read_times(options, scenario, why) ||
      !read_credentials(options, scenario.target, why) || !is_within_ceiling(options, scenario, rate, why))
    return why;
  if (!options.download.empty()) {
    const std::optional<uint64_t> bytes = config::parse_size(options.download);
    if (!bytes) return "--download: '" + options.download + "' is no size: write 512KiB or 1MiB";
    scenario.runners.download = *bytes;
  }
  scenario.name = verb.name;
  scenario.seed = options.seed;
  scenario.cores = std::min(options.cores, options.runners);
  scenario.deep_check_per_mille = options.deep_check;
  scenario.target.tls_ca = options.ca;
  scenario.target.tls_verify = !options.no_verify;
  scenario.runners.count = options.runners;
  Operation operation;
  operation.name = verb.name;
  operation.verb = verb.verb;
  operation.client = profile_named(options.client)->client;
  operation.protocol = static_cast<uint8_t>(options.protocol);
  operation.depth = options.depth;
  operation.blobless = !options.filter.empty();
  operation.ref = options.ref;
  operation.path = options.path;
  operation.commits = options.commits;
  scenario.operations.push_back(std::move(operation));
  Arrivals arrivals;
  arrivals.name = verb.name;
  arrivals.shape = options.closed    ? Arrivals::Shape::closed
                   : options.poisson ? Arrivals::Shape::poisson
                                     : Arrivals::Shape::constant;
  arrivals.rate = rate;
  arrivals.operations = {0};
  scenario.arrivals.push_back(std::move(arrivals));
  line.forms = options.forms;
  line.is_dry = options.dry_run;
  line.allows_target = !options.allow_target.empty();
  line.command = CommandLine::Command::storm;
  return {};
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
  for (const VerbName& each : verb_names) add_options(*app.add_subcommand(each.name, each.help), options);
  CLI::App* const compare =
      app.add_subcommand("compare", "say whether one storm's results differ from another's");
  add_compare(*compare, line.compare);
  app.add_subcommand("origin", "be a Git server for benchmarks; `stormgen origin --help`");  // main.cc has it
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    std::ostringstream out, complaint;
    line.exit_status = app.exit(error, out, complaint) == 0 ? 0 : 2;
    line.text = out.str() + complaint.str();
    return line;
  }
  if (compare->parsed()) line.command = CommandLine::Command::compare;
  for (const VerbName& each : verb_names) {
    if (!app.got_subcommand(each.name)) continue;
    const std::string why = fill_in(options, each, line);
    if (why.empty()) break;
    line.text = "stormgen: " + why + "\n";
    line.exit_status = 2;
  }
  return line;
}

}  // namespace breakwater::storm
