// /metrics and its page say the same, and a thread's context switches are the kernel's.
#include "app/metrics.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "wire/http_fault.h"

using namespace breakwater;
using namespace breakwater::app;

namespace {

std::vector<std::string> lines_of(std::istream& text) {
  std::vector<std::string> lines;
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

// The rows that docs/metrics.md must have: "| `name_total` | counter | help |".
std::vector<std::string> rows_of(const std::string& metrics) {
  std::istringstream text(metrics);
  std::vector<std::string> rows;
  std::string hash, keyword, name, help, kind;
  for (std::string line; std::getline(text, line);) {
    std::istringstream words(line);
    words >> hash >> keyword >> name;
    if (keyword == "HELP") std::getline(words >> std::ws, help);
    if (keyword != "TYPE") continue;
    words >> kind;
    rows.push_back("| `" + name + (kind == "counter" ? "_total" : "") + "` | " + kind + " | " + help + " |");
  }
  return rows;
}

}  // namespace

TEST_CASE("docs: every metric is there, with its help, and no other") {
  std::ifstream page(METRICS_PAGE);
  std::vector<std::string> documented;
  for (const std::string& line : lines_of(page)) {
    if (line.starts_with("| `breakwater_")) documented.push_back(line);
  }
  CHECK(documented == rows_of(metrics_text({}, {}, {}, {}, 0)));
}

TEST_CASE("metrics: sums over the cores, and the end that OpenMetrics wants") {
  Stats first, second;
  first.requests.add(3);
  second.requests.add(4);
  second.connections_open.add(1);
  second.request_faults[static_cast<size_t>(wire::Fault::bad_chunk)].add(5);
  const std::vector<CoreReading> cores{{first, {10, 1}, 100}, {second, {20, 2}, 100}};
  const std::string text = metrics_text(cores, {}, {}, {}, 0, 6);
  const auto has = [&](const char* line) {
    return text.find(std::string("\n") + line + "\n") != std::string::npos;
  };
  CHECK(has("breakwater_requests_total 7"));
  CHECK(has("breakwater_connections_open 1"));
  CHECK(has("breakwater_context_switches_voluntary_total 30"));
  CHECK(has("breakwater_context_switches_involuntary_total 3"));
  CHECK(has("breakwater_connections_limit 200"));
  CHECK(has("breakwater_cores 2"));
  CHECK(has("breakwater_request_faults_total{reason=\"bad_chunk\"} 5"));
  CHECK(has("breakwater_log_lost_total 6"));
  CHECK(text.ends_with("\n# EOF\n"));
}

TEST_CASE("metrics: a series for each server, its name escaped as OpenMetrics wants") {
  config::Pool config;
  config.name = "gogs";
  config.servers = {{.address = {"a", 1}}, {.address = {"b", 1}, .weight = 50}};
  std::deque<proxy::SharedPool> pools;
  config.servers.resize(
      5);  // slots: two of a name with several addresses, one that gives way, one that is unused
  std::deque<proxy::Server> servers;
  servers.emplace_back("a:1", Address());
  servers.emplace_back("b\"\\\n:1", Address());
  const proxy::ServerAddress first{Address(), "c:1 10.0.0.1:1", "c:1"},
      second{Address(), "c:1 10.0.0.2:1", "c:1"};
  for (const proxy::ServerAddress* address : {&first, &second}) servers.emplace_back("c:1").lead_to(*address);
  servers.emplace_back("c:1");
  pools.emplace_back(config, std::move(servers));
  pools[0].health.begin_absent(4);
  backends::PoolHealth& health = pools[0].health;
  constexpr int64_t now = 1'000'000'000;
  health.waited(0, backends::Work::pack, 12'000'000, now);
  health.begin(0);
  health.set_agents_max(0, 9);
  health.places().enter_anyway(0);
  health.set_word(1, backends::Word::drain);
  const std::string text = metrics_text({}, {}, {}, pools, now);
  for (const char* line :
       {R"(breakwater_pool_panic{pool="gogs"} 0)",
        R"(breakwater_server_state{pool="gogs",server="a:1",state="up"} 1)",
        R"(breakwater_server_state{pool="gogs",server="a:1",state="draining"} 0)",
        R"(breakwater_server_state{pool="gogs",server="b\"\\\n:1",state="draining"} 1)",
        R"(breakwater_server_in_flight{pool="gogs",server="a:1"} 1)",
        R"(breakwater_server_operations{pool="gogs",server="a:1"} 1)",
        R"(breakwater_server_operations_max{pool="gogs",server="a:1"} 9)",
        R"(breakwater_server_operations_max{pool="gogs",server="b\"\\\n:1"} 0)",
        R"(breakwater_server_requests_total{pool="gogs",server="a:1"} 0)",
        R"(breakwater_server_weight{pool="gogs",server="a:1"} 100)",
        R"(breakwater_server_weight{pool="gogs",server="b\"\\\n:1"} 0)",
        R"(breakwater_server_first_byte_seconds{pool="gogs",server="a:1",work="pack"} 0.012)"}) {
    CAPTURE(line);
    CHECK(text.find("\n" + std::string(line) + "\n") != std::string::npos);
  }
  CHECK(text.find(R"(breakwater_server_in_flight{pool="gogs",server="c:1"} 0)") != std::string::npos);
  CHECK(text.find(R"(breakwater_server_in_flight{pool="gogs",server="c:1 10.0.0.2:1"} 0)") !=
        std::string::npos);
  CHECK(text.find("absent\"") == std::string::npos);
  CHECK(text.find("work=\"advertise\"") == std::string::npos);
}

TEST_CASE("metrics: a histogram of the waits of each pool, in Prometheus' form") {
  config::Pool config;
  config.name = "gogs";
  config.servers = {{.address = {"a", 1}}};
  std::deque<proxy::SharedPool> pools;
  std::deque<proxy::Server> servers;
  servers.emplace_back("a:1", Address());
  pools.emplace_back(config, std::move(servers));
  constexpr int64_t ms = 1'000'000;
  for (const int64_t wait : {0 * ms, 5 * ms, 5 * ms + 1000, 400 * ms, 301'000 * ms}) pools[0].waits.add(wait);
  const std::string text = metrics_text({}, {}, {}, pools, 0);
  const size_t begin = text.find("# HELP breakwater_queue_wait_seconds ");
  const size_t end = text.find("# HELP", begin + 1);
  const std::string_view family = std::string_view(text).substr(begin, end - begin);
  const std::string_view samples = family.substr(family.find("breakwater_queue_wait_seconds_bucket"));
  CHECK(samples == R"(breakwater_queue_wait_seconds_bucket{pool="gogs",le="0.005"} 2
breakwater_queue_wait_seconds_bucket{pool="gogs",le="0.01"} 3
breakwater_queue_wait_seconds_bucket{pool="gogs",le="0.05"} 3
breakwater_queue_wait_seconds_bucket{pool="gogs",le="0.1"} 3
breakwater_queue_wait_seconds_bucket{pool="gogs",le="0.5"} 4
breakwater_queue_wait_seconds_bucket{pool="gogs",le="1.0"} 4
breakwater_queue_wait_seconds_bucket{pool="gogs",le="5.0"} 4
breakwater_queue_wait_seconds_bucket{pool="gogs",le="10.0"} 4
breakwater_queue_wait_seconds_bucket{pool="gogs",le="30.0"} 4
breakwater_queue_wait_seconds_bucket{pool="gogs",le="60.0"} 4
breakwater_queue_wait_seconds_bucket{pool="gogs",le="300.0"} 4
breakwater_queue_wait_seconds_bucket{pool="gogs",le="+Inf"} 5
breakwater_queue_wait_seconds_sum{pool="gogs"} 301.410001
breakwater_queue_wait_seconds_count{pool="gogs"} 5
)");
  CHECK(family.find("# TYPE breakwater_queue_wait_seconds histogram\n") != std::string_view::npos);
}

TEST_CASE("context switches: a thread that sleeps leaves its CPU each time; one that is gone has none") {
  const ContextSwitches before = context_switches(gettid());
  for (int count = 0; count < 5; count++) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  CHECK(context_switches(gettid()).voluntary >= before.voluntary + 5);
  CHECK(context_switches(0).voluntary == 0);
}
