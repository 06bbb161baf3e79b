#include "app/operations.h"

#include <poll.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "ring/sys.h"

namespace breakwater::app {

using nlohmann::ordered_json;

namespace {

constexpr int64_t answer_limit_ns = 1'000'000'000;

// The cores need no system call to tell us that they have answered: we look each millisecond.
void wait_for_reports(const std::vector<std::unique_ptr<CoreThread>>& cores) {
  const int64_t end_ns = sys::monotonic_ns() + answer_limit_ns;
  const auto is_done = [](const auto& core) { return core->report().is_answered() || core->ended(); };
  while (!std::all_of(cores.begin(), cores.end(), is_done) && sys::monotonic_ns() < end_ns)
    poll(nullptr, 0, 1);
}

ordered_json row_of(const proxy::OperationRow& row, size_t core, const std::deque<proxy::SharedPool>& pools) {
  ordered_json json;
  json["id"] = std::string_view(row.id.data(), row.id.size());
  json["core"] = core;
  json["client"] = row.client.view();
  const proxy::SharedPool* const pool = row.pool == proxy::OperationRow::none ? nullptr : &pools[row.pool];
  json["pool"] = pool == nullptr ? "" : pool->config.name;
  json["server"] = row.server;
  json["operation"] = row.operation;
  json[row.is_git ? "repository" : "path"] = row.what.view();
  json["phase"] = row.phase;
  if (!row.queued_for.empty()) json["queued_for"] = row.queued_for;
  json["age_ms"] = row.age_ns / 1'000'000;
  json["idle_ms"] = row.idle_ns / 1'000'000;
  json["bytes_in"] = row.bytes_in;
  json["bytes_out"] = row.bytes_out;
  const double age_seconds = static_cast<double>(std::max<int64_t>(row.age_ns, 1'000'000)) / 1e9;
  json["bytes_per_second"] =
      static_cast<uint64_t>(static_cast<double>(row.bytes_in + row.bytes_out) / age_seconds);
  json["attempts"] = row.attempts;
  return json;
}

}  // namespace

// Row by row, one a line: as one value, all of them would take many times the memory of their text.
std::string operations_page(const std::vector<std::unique_ptr<CoreThread>>& cores,
                            const std::deque<proxy::SharedPool>& pools) {
  for (const std::unique_ptr<CoreThread>& core : cores) core->ask_for_report();
  wait_for_reports(cores);
  std::string rows;
  uint64_t active = 0;
  uint64_t shown = 0;
  ordered_json silent = ordered_json::array();
  for (size_t index = 0; index < cores.size(); index++) {
    const proxy::Report& report = cores[index]->report();
    if (!report.is_answered()) {
      if (!cores[index]->ended()) silent.push_back(index);
      continue;
    }
    active += report.count();
    for (const proxy::OperationRow& row : report.rows()) {
      rows += shown++ == 0 ? "\n  " : ",\n  ";
      rows += row_of(row, index, pools).dump(-1, ' ', false, ordered_json::error_handler_t::replace);
    }
  }
  return "{\"active\": " + std::to_string(active) + ", \"shown\": " + std::to_string(shown) +
         ", \"silent_cores\": " + silent.dump() + ", \"operations\": [" + rows + (shown == 0 ? "" : "\n") +
         "]}\n";
}

}  // namespace breakwater::app
