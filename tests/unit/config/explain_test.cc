// What `breakwater check` says of a good file: what a kind set, and every wait with where it comes from.
#include "config/explain.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

#include "config/schema.h"
#include "parsing.h"

using namespace breakwater::config;

namespace {

std::string kinds(const std::string& text) {
  Origins origins;
  const auto parsed = parse(text, &origins);
  REQUIRE(std::holds_alternative<Config>(parsed));
  return explain_kinds(std::get<Config>(parsed), origins, "x.toml");
}

std::vector<std::string> timeouts(const std::string& text) {
  Origins origins;
  const auto parsed = parse(text, &origins);
  REQUIRE(std::holds_alternative<Config>(parsed));
  std::istringstream lines(explain_timeouts(std::get<Config>(parsed), origins, "x.toml"));
  std::vector<std::string> rows;
  for (std::string line; std::getline(lines, line);) rows.push_back(line);
  return rows;
}

// The row called `name`, blanks between its columns as one, up to what is waited for.
std::string row(const std::vector<std::string>& rows, const std::string& name) {
  for (const std::string& line : rows) {
    if (!line.starts_with(name + " ")) continue;
    std::string out;
    std::string_view rest = line;
    for (int column = 0; column < 3; ++column) {
      const size_t end = rest.find("  ");
      out.append(out.empty() ? "" : " | ").append(rest.substr(0, end));
      rest.remove_prefix(std::min(rest.find_first_not_of(' ', end), rest.size()));
    }
    return out;
  }
  return "no such row";
}

}  // namespace

TEST_CASE("explain: a pool whose kind the file names says what that set") {
  CHECK(kinds(minimal).empty());
  CHECK(kinds(minimal + "kind = 'gogs'\n") ==
        "  pool gogs: kind gogs: probe http /healthcheck, path case is folded, headers of dumb HTTP are "
        "repaired, packs are framed chunked, unused connections are kept for 1m\n");
  CHECK(kinds(minimal + "kind = 'other'\n") ==
        "  pool gogs: kind other: nothing differs from the defaults\n");
  CHECK(
      kinds(minimal + "kind = 'http-backend'\nprobe = 'off'\n[timeouts]\nserver_idle = '1s'\n") ==
      "  pool gogs: kind http-backend: packs are framed auto; overridden: probe by x.toml:6, server_idle by "
      "x.toml:8\n");
  CHECK(kinds(minimal + "kind = 'gitlab'\nprobe = 'off'\nfold_case = true\nserver_idle = '30s'\n") ==
        "  pool gogs: kind gitlab: nothing; overridden: probe by x.toml:6, fold_case by x.toml:7, "
        "server_idle by x.toml:8\n");
}

TEST_CASE("explain: every wait is there, with its sentences") {
  const std::vector<std::string> rows = timeouts(minimal + "probe = 'tcp'\n");
  const auto has = [&](const std::string& name, const DurationRule& rule) {
    CAPTURE(name);
    CHECK(std::any_of(rows.begin(), rows.end(), [&](const std::string& line) {
      return line.starts_with(name + " ") && line.find(rule.waited_for) != std::string::npos &&
             line.ends_with(rule.when_over);
    }));
  };
  const auto of_pool = [&](const DurationRule& rule) { has("pool.gogs." + std::string(rule.name), rule); };
  for (const auto& key : timeout_keys) has(std::string(key.name), key);
  for (const auto& key : pool_timeout_keys) of_pool(key);
  for (const auto& key : probe_duration_keys) of_pool(key);
  for (const auto& key : agent_duration_keys) of_pool(key);
  for (const auto& key : health_duration_keys) of_pool(key);
  for (const auto& key : admission_duration_keys) of_pool(key);
  for (const auto& key : dns_duration_keys) has("dns." + std::string(key.name), key);
  CHECK(rows.size() == 1 + std::size(timeout_keys) + std::size(dns_duration_keys) +
                           std::size(pool_timeout_keys) + std::size(probe_duration_keys) +
                           std::size(health_duration_keys) + std::size(admission_duration_keys) +
                           std::size(agent_duration_keys));
}

TEST_CASE("explain: where each value comes from") {
  const std::vector<std::string> rows = timeouts(
      "[timeouts]\nresponse = '20m'\n"
      "[listen.git]\nbind = ':80'\npool = 'a'\n"
      "[pool.a]\nservers = ['a:1']\nkind = 'gogs'\nconnect = '1s'\nprobe_interval = '100ms'\neject_time = "
      "'10m'\n"
      "[pool.b]\nservers = ['b:1']\nslow_ratio = 'off'\n");
  CHECK(row(rows, "head") == "head | 10s | default");
  CHECK(row(rows, "response") == "response | 20m | x.toml:2");
  CHECK(row(rows, "drain") == "drain | off | default");
  CHECK(row(rows, "client_pace_window") == "client_pace_window | 2m | default");
  CHECK(row(rows, "pool.a.connect") == "pool.a.connect | 1s | x.toml:9");
  CHECK(row(rows, "pool.a.advertise") == "pool.a.advertise | 1m | default");
  CHECK(row(rows, "pool.a.response") == "pool.a.response | 20m | x.toml:2");
  CHECK(row(rows, "pool.a.server_idle") == "pool.a.server_idle | 1m | kind gogs");
  CHECK(row(rows, "pool.a.probe_interval") == "pool.a.probe_interval | 100ms | x.toml:10");
  CHECK(row(rows, "pool.a.probe_fast_interval") ==
        "pool.a.probe_fast_interval | 100ms | default, to fit x.toml:10");
  CHECK(row(rows, "pool.a.probe_timeout") == "pool.a.probe_timeout | 1s | default");
  CHECK(row(rows, "pool.a.eject_time_max") == "pool.a.eject_time_max | 10m | default, to fit x.toml:11");
  CHECK(row(rows, "pool.b.server_idle") == "pool.b.server_idle | 30s | default");
  CHECK(row(rows, "pool.b.probe_timeout") == "pool.b.probe_timeout | off | default");  // there is no probe
  CHECK(row(rows, "pool.b.slow_min") == "pool.b.slow_min | off | x.toml:14");          // nor a slow server
  CHECK(row(rows, "pool.b.eject_time") == "pool.b.eject_time | 5s | default");
  const std::vector<std::string> never = timeouts(minimal + "slow_ratio = 'off'\neject_errors = 'off'\n");
  CHECK(row(never, "pool.gogs.eject_time_max") == "pool.gogs.eject_time_max | off | x.toml:6");
  const std::vector<std::string> any_pace = timeouts("[timeouts]\nclient_pace = 'off'\n" + minimal);
  CHECK(row(any_pace, "client_pace_window") == "client_pace_window | off | x.toml:2");
}
