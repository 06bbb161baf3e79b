// Any text as a configuration: nothing crashes, every problem lies within the text, and what is shown is fit
// to print.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "base/utf8.h"
#include "config/explain.h"
#include "config/network.h"
#include "config/parse.h"
#include "config/probe.h"
#include "config/server.h"
#include "config/units.h"

using namespace breakwater;

namespace {

bool is_printable(std::string_view text) {
  while (!text.empty()) {
    const size_t bytes = utf8_character_bytes(text);
    if (bytes == 0 || (text[0] != '\n' && utf8_is_control(text.substr(0, bytes)))) return false;
    text.remove_prefix(bytes);
  }
  return true;
}

void check_problems(const config::Problems& problems, std::string_view text) {
  BW_ASSERT(!problems.empty());
  const auto lines = static_cast<uint32_t>(std::count(text.begin(), text.end(), '\n')) + 1;
  uint32_t line_before = 0;
  for (const config::Problem& problem : problems) {
    BW_ASSERT(!problem.message.empty());
    BW_ASSERT(problem.line <= lines);
    BW_ASSERT(problem.line >= line_before);
    BW_ASSERT((problem.line == 0) == (problem.column == 0));
    BW_ASSERT(problem.column <= text.size() + 1);
    line_before = problem.line;
  }
  BW_ASSERT(is_printable(config::render(problems, "fuzz.toml", text)));
}

void check_pool(const config::Pool& pool) {
  BW_ASSERT(!pool.servers.empty());
  BW_ASSERT(pool.probe.fast_interval <= pool.probe.interval);
  BW_ASSERT(pool.health.eject_time <= pool.health.eject_time_max);
  config::Probe again;
  std::string why;
  BW_ASSERT(config::parse_probe(config::format_probe(pool.probe), again, why));
}

void check_config(const config::Config& config) {
  BW_ASSERT(!config.listens.empty());
  BW_ASSERT(!config.pools.empty());
  for (const config::Listen& listen : config.listens) {
    const auto is_its_pool = [&](const config::Pool& pool) { return pool.name == listen.pool; };
    BW_ASSERT(!listen.redirect.empty() || std::any_of(config.pools.begin(), config.pools.end(), is_its_pool));
  }
  for (const config::Pool& pool : config.pools) check_pool(pool);
  for (const config::Route& route : config.routes) BW_ASSERT(!route.host.empty() || !route.path.empty());
  BW_ASSERT(config.limits.target_bytes <= config.limits.head_bytes);
}

void check_values(std::string_view text) {
  config::Endpoint endpoint, again;
  std::string why;
  if (config::parse_endpoint(text, endpoint, why)) {
    BW_ASSERT(config::parse_endpoint(endpoint.text(), again, why));
    BW_ASSERT(endpoint == again);
  }
  config::Server server;
  if (config::parse_server(text, server, why)) {
    BW_ASSERT(server.address.path.empty() == !server.address.host.empty());
    BW_ASSERT(config::parse_server(server.address.text(), server, why));
  }
  config::Probe probe;
  if (config::parse_probe(text, probe, why)) {
    const std::string shortest = config::format_probe(probe);
    BW_ASSERT(config::parse_probe(shortest, probe, why));
    BW_ASSERT(config::format_probe(probe) == shortest);
  }
  if (config::check_host_pattern(text, why)) BW_ASSERT(is_printable(text));
  config::Network network, same;
  if (config::parse_network(text, network, why))
    BW_ASSERT(config::parse_network(network.text(), same, why) && same == network);
  if (const auto duration = config::parse_duration(text))
    BW_ASSERT(config::parse_duration(config::format_duration(*duration)) == duration);
  if (const auto size = config::parse_size(text))
    BW_ASSERT(config::parse_size(config::format_size(*size)) == size);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  config::Origins origins;
  const auto parsed = config::parse(text, &origins);
  if (const auto* problems = std::get_if<config::Problems>(&parsed)) {
    check_problems(*problems, text);
  } else {
    const config::Config& config = std::get<config::Config>(parsed);
    check_config(config);
    BW_ASSERT(is_printable(config::explain_kinds(config, origins, "fuzz.toml")));
    BW_ASSERT(is_printable(config::explain_timeouts(config, origins, "fuzz.toml")));
  }
  check_values(text);
  return 0;
}
