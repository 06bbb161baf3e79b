#include "app/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>

#include "base/read_file.h"
#include "config/explain.h"
#include "config/parse.h"
#include "config/rules.h"
#include "config/schema.h"
#include "config/server.h"

namespace breakwater::app {

namespace {

struct Options {
  std::string file;
  std::string listen;
  std::vector<std::string> backends;
  std::string admin;
  std::string log;
  std::string pid_file;
  uint32_t cores = 0;
  bool has_cores = false;
  bool has_log = false;
  bool explain_timeouts = false;
  bool no_sandbox = false;
};

CommandLine failed(std::string text) {
  CommandLine result;
  result.text = std::move(text);
  result.exit_status = 2;
  return result;
}

CommandLine sentence(const std::string& text) {
  return failed("breakwater: " + text + "\n");
}

// The file's configuration and where it came from, or what is wrong with it.
bool load(const std::string& path, config::Config& config, config::Origins& origins, std::string& why) {
  std::string text, reason;
  // One byte more than may be there: then the parser says that it is too large.
  if (!read_file(path, config::file_bytes_max + 1, text, reason)) {
    why = "breakwater: the configuration " + path + " can't be read: " + reason + "\n";
    return false;
  }
  std::variant<config::Config, config::Problems> parsed = config::parse(text, &origins);
  if (const config::Problems* problems = std::get_if<config::Problems>(&parsed)) {
    why = config::render(*problems, path, text);
    return false;
  }
  config = std::move(std::get<config::Config>(parsed));
  return true;
}

bool from_options(const Options& options, config::Config& config, std::string& why) {
  config::Listen listen;
  listen.name = listen.pool = "main";
  if (!config::parse_endpoint(options.listen, listen.bind, why)) {
    why = "--listen: " + why;
    return false;
  }
  config::Pool pool;
  pool.name = "main";
  for (const std::string& backend : options.backends) {
    config::Server server;
    if (!config::parse_server(backend, server, why)) {
      why = "--backend: " + why;
      return false;
    }
    if (config::leads_back(server.address, listen.bind)) {
      why = "--backend: " + backend + " is --listen itself, so that requests would go round in circles";
      return false;
    }
    const auto is_same = [&](const config::Server& other) {
      return config::same_server(other.address, server.address);
    };
    if (std::any_of(pool.servers.begin(), pool.servers.end(), is_same)) {
      why = "--backend: " + backend + " is given twice";
      return false;
    }
    pool.servers.push_back(std::move(server));
  }
  if (config::slots_of(pool) > config::slots_per_pool_max) {
    why = "--backend: all together may have more than " + std::to_string(config::slots_per_pool_max) +
          " addresses; a name has 8 unless slots=N stands behind it";
    return false;
  }
  config.listens.push_back(listen);
  config.pools.push_back(pool);
  return true;
}

bool set_log(const std::string& text, config::Log& log, std::string& why) {
  if (text.empty() || text == "stderr") {
    why = "--log takes a file, stdout or off" +
          std::string(text.empty() ? ""
                                   : "; on standard error are messages, and a file of that name is ./stderr");
    return false;
  }
  if (text == "off")
    log.target = config::Log::Target::off;
  else if (text == "stdout" || text == "-")
    log.target = config::Log::Target::standard_output;
  else
    log = {config::Log::Target::file, text};
  return true;
}

bool override_config(const Options& options, config::Config& config, std::string& why) {
  if (!options.admin.empty()) {
    if (!config::parse_endpoint_or_socket(options.admin, config.admin, why)) {
      why = "--admin: " + why;
      return false;
    }
    config.admin_enabled = true;
  }
  if (options.has_log && !set_log(options.log, config.log, why)) return false;
  if (!options.pid_file.empty()) config.pid_file = options.pid_file;
  if (options.no_sandbox) config.sandbox = false;
  if (options.has_cores) {
    if (options.cores == 0) {
      why = "--cores must be at least 1; leave it out to use every CPU this process may run on";
      return false;
    }
    config.cores = options.cores;
  }
  return true;
}

std::string count(size_t number, const std::string& word) {
  return std::to_string(number) + " " + word + (number == 1 ? "" : "s");
}

constexpr std::array<std::pair<const char*, const char*>, 7> ctl_verbs{
    {{"servers", "Show every pool and server"},
     {"operations", "Show every request that is being served"},
     {"queue", "Show every operation that waits, for what, and how long"},
     {"drain", "A server gets no new operations; what runs there goes on"},
     {"ready", "A server gets its share again"},
     {"maintenance", "A server gets no new requests at all"},
     {"weight", "Change a server's share next to the others'"}}};

bool names_server(Ctl::Verb verb) {
  return verb != Ctl::Verb::servers && verb != Ctl::Verb::operations && verb != Ctl::Verb::queue;
}

// The verbs of `ctl`, in the order of Ctl::Verb.
void add_ctl(CLI::App& app, Ctl& ctl) {
  CLI::App* const command = app.add_subcommand("ctl", "Ask a running Breakwater, or change its servers");
  command->add_option("-s,--socket", ctl.address, "Its admin listener (default: " + ctl.address + ")")
      ->type_name("ADDRESS:PORT|unix:PATH");
  command->add_flag("--json", ctl.json, "Print the answer as it came");
  command->require_subcommand(1);
  command->fallthrough();
  for (size_t index = 0; index < ctl_verbs.size(); index++) {
    const Ctl::Verb verb = static_cast<Ctl::Verb>(index);
    CLI::App* const each = command->add_subcommand(ctl_verbs[index].first, ctl_verbs[index].second);
    each->callback([&ctl, verb] { ctl.verb = verb; });
    each->fallthrough();
    if (!names_server(verb)) continue;
    each->add_option("server", ctl.server, "As `servers` shows it: gogs/10.0.0.11:3000")
        ->type_name("POOL/SERVER")
        ->required();
    if (verb == Ctl::Verb::weight)
      each->add_option("weight", ctl.weight)
          ->type_name("N")
          ->required()
          ->check(CLI::Range(0u, config::weight_max));
  }
}

CommandLine ask(Ctl& ctl) {
  std::string why;
  if (!config::parse_endpoint_or_socket(ctl.address, ctl.endpoint, why)) return sentence("-s: " + why);
  const size_t slash = ctl.server.find('/');
  if (names_server(ctl.verb) && (slash == 0 || slash == std::string::npos || slash + 1 == ctl.server.size()))
    return sentence("`" + ctl.server + "` names no server; write POOL/SERVER, as in gogs/10.0.0.11:3000");
  CommandLine result;
  result.command = CommandLine::Command::ctl;
  result.ctl = ctl;
  return result;
}

CommandLine check(const Options& options) {
  const std::string& path = options.file;
  CommandLine result;
  config::Config& config = result.config;
  config::Origins origins;
  std::string why;
  if (!load(path, config, origins, why)) return failed(why);
  size_t servers = 0;
  for (const config::Pool& pool : config.pools) servers += pool.servers.size();
  result.command = CommandLine::Command::check;
  result.text = path + ": ok: " + count(config.listens.size(), "listener") + ", " +
                count(config.pools.size(), "pool") + ", " + count(servers, "server") +
                (config.routes.empty() ? "" : ", " + count(config.routes.size(), "route")) + "\n";
  result.text += config::explain_kinds(config, origins, path);
  if (options.explain_timeouts) result.text += "\n" + config::explain_timeouts(config, origins, path);
  return result;
}

CommandLine run(const Options& options) {
  CommandLine result;
  result.command = CommandLine::Command::run;
  const bool has_address = !options.listen.empty() || !options.backends.empty();
  std::string why;
  if (!options.file.empty()) {
    if (has_address)
      return sentence("-f and --listen/--backend exclude each other: put the addresses in the file");
    config::Origins origins;
    if (!load(options.file, result.config, origins, why)) return failed(why);
  } else if (options.listen.empty() || options.backends.empty()) {
    return sentence("run needs -f FILE, or --listen ADDRESS:PORT and at least one --backend HOST:PORT");
  } else if (!from_options(options, result.config, why)) {
    return sentence(why);
  }
  if (!override_config(options, result.config, why)) return sentence(why);
  return result;
}

}  // namespace

CommandLine parse_command_line(int argc, const char* const* argv, std::string (*version)()) {
  Options options;
  CLI::App app("Breakwater, an edge proxy for Git", "breakwater");
  bool wants_version = false;
  app.add_flag("-V,--version", wants_version,
               "Print versions, what the kernel offers and the data path that follows");
  CLI::App* const run_command = app.add_subcommand("run", "Forward Git and everything else to the servers");
  run_command->add_option("-f,--file", options.file, "Configuration file (TOML)")->type_name("FILE");
  run_command->add_option("--listen", options.listen, "Accept clients here")->type_name("ADDRESS:PORT");
  run_command->add_option("--backend", options.backends, "A server; may be repeated")
      ->type_name("HOST:PORT|srv:NAME|unix:PATH")
      ->allow_extra_args(false);
  CLI::Option* const cores =
      run_command->add_option("--cores", options.cores, "Cores to serve on (default: every CPU allowed)")
          ->type_name("N");
  run_command->add_option("--pid-file", options.pid_file, "Write the process id here")->type_name("PATH");
  run_command->add_option("--admin", options.admin, "Serve metrics, views and verbs here (default: off)")
      ->type_name("ADDRESS:PORT|unix:PATH");
  CLI::Option* const log =
      run_command->add_option("--log", options.log, "Access log: a file, stdout or off (default: stdout)")
          ->type_name("FILE|stdout|off");
  run_command->add_flag("--no-sandbox", options.no_sandbox,
                        "Keep capabilities and every system call, to look for faults");
  CLI::App* const check_command =
      app.add_subcommand("check", "Check a configuration file and say what is wrong with it");
  check_command->add_option("-f,--file", options.file, "Configuration file (TOML)")
      ->type_name("FILE")
      ->required();
  check_command->add_flag("--explain-timeouts", options.explain_timeouts,
                          "Print every timeout: its value, where that comes from, and what happens then");
  Ctl ctl;
  add_ctl(app, ctl);
  app.require_subcommand(0, 1);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    CommandLine result;
    result.command = CommandLine::Command::help;
    const std::vector<CLI::App*> commands = app.get_subcommands();
    result.text = commands.empty() ? app.help() : commands.front()->help();
    return result;
  } catch (const CLI::ParseError& error) {
    // Of a command its own help: that of all has none of its options.
    const std::vector<CLI::App*> commands = app.get_subcommands();
    const std::string of = commands.empty() ? "" : " " + commands.front()->get_name();
    return sentence(std::string(error.what()) + " (breakwater" + of + " --help shows what there is)");
  }
  options.has_cores = cores->count() > 0;
  options.has_log = log->count() > 0;
  if (wants_version) {
    CommandLine result;
    result.command = CommandLine::Command::version;
    result.text = version();
    return result;
  }
  if (run_command->parsed()) return run(options);
  if (check_command->parsed()) return check(options);
  if (app.got_subcommand("ctl")) return ask(ctl);
  return failed(app.help());
}

}  // namespace breakwater::app
