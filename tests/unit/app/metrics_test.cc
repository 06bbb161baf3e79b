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
  CHECK(documented == rows_of(metrics_text({})));
}

TEST_CASE("metrics: sums over the cores, and the end that OpenMetrics wants") {
  Stats first, second;
  first.requests.add(3);
  second.requests.add(4);
  second.connections_open.add(1);
  const std::vector<CoreReading> cores{{first, {10, 1}}, {second, {20, 2}}};
  const std::string text = metrics_text(cores);
  const auto has = [&](const char* line) {
    return text.find(std::string("\n") + line + "\n") != std::string::npos;
  };
  CHECK(has("breakwater_requests_total 7"));
  CHECK(has("breakwater_connections_open 1"));
  CHECK(has("breakwater_context_switches_voluntary_total 30"));
  CHECK(has("breakwater_context_switches_involuntary_total 3"));
  CHECK(has("breakwater_cores 2"));
  CHECK(text.ends_with("\n# EOF\n"));
}

TEST_CASE("context switches: a thread that sleeps leaves its CPU each time; one that is gone has none") {
  const ContextSwitches before = context_switches(gettid());
  for (int count = 0; count < 5; count++) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  CHECK(context_switches(gettid()).voluntary >= before.voluntary + 5);
  CHECK(context_switches(0).voluntary == 0);
}
