#include "app/operations.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "proxy/limits.h"
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

// What both pages say of a row first.
ordered_json beginning_of(const proxy::OperationRow& row, size_t core,
                          const std::deque<proxy::SharedPool>& pools) {
  ordered_json json;
  json["id"] = std::string_view(row.id.data(), row.id.size());
  json["core"] = core;
  json["client"] = row.client.view();
  const proxy::SharedPool* const pool = row.pool == proxy::OperationRow::none ? nullptr : &pools[row.pool];
  json["pool"] = pool == nullptr ? "" : pool->config.name;
  return json;
}

ordered_json operation_of(const proxy::OperationRow& row, ordered_json json) {
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

ordered_json wait_of(const proxy::OperationRow& row, ordered_json json) {
  json["position"] = row.position;
  json["reason"] = row.queued_for;
  json["class"] = row.operation_class;
  json["network"] = network_of(row.client.view());
  json["operation"] = row.operation;
  json[row.is_git ? "repository" : "path"] = row.what.view();
  json["waited_ms"] = row.waited_ns / 1'000'000;
  json["deadline_ms"] = row.patience_ns / 1'000'000;
  return json;
}

struct Page {
  proxy::Listing listing;
  std::string_view count_name, rows_name;
  ordered_json (*rest_of)(const proxy::OperationRow& row, ordered_json json);
};

// Of one core: as they come, or as they wait.
std::vector<const proxy::OperationRow*> rows_of(const proxy::Report& report) {
  std::vector<const proxy::OperationRow*> rows;
  for (const proxy::OperationRow& row : report.rows()) rows.push_back(&row);
  if (report.listing() == proxy::Listing::waiting)
    std::sort(rows.begin(), rows.end(), [](const auto* a, const auto* b) {
      return std::pair(a->pool, a->position) < std::pair(b->pool, b->position);
    });
  return rows;
}

// Row by row, one a line: as one value, all of them would take many times the memory of their text.
std::string text_of(const Page& page, const std::vector<std::unique_ptr<CoreThread>>& cores,
                    const std::deque<proxy::SharedPool>& pools) {
  for (const std::unique_ptr<CoreThread>& core : cores) core->ask_for_report(page.listing);
  wait_for_reports(cores);
  std::string rows;
  uint64_t count = 0;
  uint64_t shown = 0;
  ordered_json silent = ordered_json::array();
  for (size_t index = 0; index < cores.size(); index++) {
    const proxy::Report& report = cores[index]->report();
    if (!report.is_answered() || report.listing() != page.listing) {
      if (!cores[index]->ended()) silent.push_back(index);
      continue;
    }
    count += report.count();
    for (const proxy::OperationRow* row : rows_of(report)) {
      rows += shown++ == 0 ? "\n  " : ",\n  ";
      const ordered_json json = page.rest_of(*row, beginning_of(*row, index, pools));
      rows += json.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
    }
  }
  return fmt::format("{{\"{}\": {}, \"shown\": {}, \"silent_cores\": {}, \"{}\": [{}{}]}}\n", page.count_name,
                     count, shown, silent.dump(), page.rows_name, rows, shown == 0 ? "" : "\n");
}

}  // namespace

std::string operations_page(const std::vector<std::unique_ptr<CoreThread>>& cores,
                            const std::deque<proxy::SharedPool>& pools) {
  return text_of({proxy::Listing::all, "active", "operations", operation_of}, cores, pools);
}

std::string queue_page(const std::vector<std::unique_ptr<CoreThread>>& cores,
                       const std::deque<proxy::SharedPool>& pools) {
  return text_of({proxy::Listing::waiting, "waiting", "queue", wait_of}, cores, pools);
}

std::string network_of(std::string_view client) {
  const bool is_v6 = client.starts_with('[');
  const size_t end = is_v6 ? client.find(']') : client.rfind(':');
  if (end == std::string_view::npos) return "";
  const std::string host(client.substr(is_v6 ? 1 : 0, end - (is_v6 ? 1 : 0)));
  const int family = is_v6 ? AF_INET6 : AF_INET;
  std::array<uint8_t, 16> bytes{};
  std::array<char, INET6_ADDRSTRLEN> text;
  if (inet_pton(family, host.c_str(), bytes.data()) != 1) return "";
  const size_t kept = is_v6 ? proxy::network_bytes_of_ipv6 : proxy::network_bytes_of_ipv4;
  std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(kept), bytes.end(), uint8_t{0});
  inet_ntop(family, bytes.data(), text.data(), text.size());
  return fmt::format("{}/{}", text.data(), 8 * kept);
}

}  // namespace breakwater::app
