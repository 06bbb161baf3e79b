#include "app/ctl_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

namespace breakwater::app {

using nlohmann::json;

namespace {

// What clients sent stands in some of these texts, and a terminal obeys more than printable bytes.
std::string printable(std::string text) {
  std::replace_if(text.begin(), text.end(), [](char byte) { return byte < ' ' || byte > '~'; }, '?');
  return text;
}

class Table {
 public:
  using Row = std::vector<std::string>;
  explicit Table(const Row& titles) { add(titles); }
  void add(const Row& cells) {
    Row& row = rows_.emplace_back();
    for (const std::string& cell : cells) row.push_back(printable(cell));
    widths_.resize(std::max(widths_.size(), row.size()));
    for (size_t column = 0; column < row.size(); column++)
      widths_[column] = std::max(widths_[column], row[column].size());
  }
  std::string text() const {
    std::string text;
    for (const Row& row : rows_) {
      std::string line;
      for (size_t column = 0; column < row.size(); column++)
        line += fmt::format("{:<{}}", row[column], widths_[column] + 2);
      text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
    }
    return text;
  }

 private:
  std::vector<Row> rows_;
  std::vector<size_t> widths_;
};

// No list and no object: it may be nested deeper than a stack holds.
std::string word(const json& value) {
  if (value.is_null() || value.is_structured()) return "";
  return value.is_string() ? value.get<std::string>() : value.dump();
}

std::string word(const json& row, const char* key) {
  const auto found = row.find(key);
  return found == row.end() ? "" : word(*found);
}

bool flag(const json& row, const char* key) {
  return word(row, key) == "true";
}

double number(const json& row, const char* key) {
  const auto found = row.find(key);
  return found != row.end() && found->is_number() ? found->get<double>() : 0;
}

std::string time_text(double seconds) {
  constexpr double most = 1e12;  // no age, and still a whole number
  if (seconds < 60) return fmt::format("{:.1f}s", seconds);
  const uint64_t whole = static_cast<uint64_t>(std::min(seconds, most));
  if (whole < 3600) return fmt::format("{}m{:02}s", whole / 60, whole % 60);
  if (whole < 86400) return fmt::format("{}h{:02}m", whole / 3600, whole / 60 % 60);
  return fmt::format("{}d{:02}h", whole / 86400, whole / 3600 % 24);
}

std::string bytes_text(double bytes) {
  if (bytes < 1024) return fmt::format("{:.0f}B", bytes);
  size_t unit = 0;
  for (bytes /= 1024; bytes >= 1024 && unit < 3; bytes /= 1024) unit++;
  return fmt::format("{:.1f}{}iB", bytes, "KMGT"[unit]);
}

std::string first_bytes(const json& row) {
  const auto averages = row.find("first_byte_ms");
  if (averages == row.end() || !averages->is_object()) return "";
  std::string text;
  for (const char* const work : {"advertise", "negotiate", "pack", "other"}) {
    const std::string known = word(*averages, work);
    text +=
        (text.empty() ? "" : "/") + (known.empty() ? "-" : fmt::format("{:.1f}", number(*averages, work)));
  }
  return text;
}

std::string weights(const json& row) {
  const double effective = number(row, "effective_weight");
  const std::string weight = word(row, "weight");
  const bool is_whole = effective == number(row, "weight");
  return (is_whole ? weight : fmt::format("{:.0f} of {}", effective, weight)) +
         (flag(row, "backup") ? " backup" : "");
}

// "3 of 10", where there is a limit.
std::string operations(const json& row) {
  const std::string most = word(row, "max");
  return most.empty() ? "" : word(row, "operations") + " of " + most;
}

std::string reason(const json& row) {
  const std::string back = word(row, "back_in_seconds");
  return word(row, "reason") + (back.empty() ? "" : ", back in " + time_text(number(row, "back_in_seconds")));
}

// While it waits, for what.
std::string phase(const json& row) {
  const std::string text = word(row, "phase");
  return text == "queue" ? text + " for " + word(row, "queued_for") : text;
}

const json& list(const json& page, const char* key) {
  static const json nothing = json::array();
  const auto found = page.find(key);
  return found != page.end() && found->is_array() ? *found : nothing;
}

// What a page of rows does not show.
std::string remarks_of(const json& page, const char* count) {
  std::string remarks;
  if (number(page, "shown") < number(page, count))
    remarks += printable(fmt::format("{} of {} are shown", word(page, "shown"), word(page, count))) + "\n";
  for (const json& core : list(page, "silent_cores"))
    remarks += "core " + printable(word(core)) + " did not answer in time\n";
  return remarks;
}

}  // namespace

std::string servers_table(const json& page) {
  Table table({"POOL", "SERVER", "STATE", "FOR", "WEIGHT", "IN FLIGHT", "OPERATIONS", "SERVED", "EJECTIONS",
               "FIRST BYTE MS (REFS/WANTS/PACK/OTHER)", "REASON"});
  std::string remarks;
  for (const json& pool : list(page, "pools")) {
    const std::string name = word(pool, "name");
    for (const json& row : list(pool, "servers")) {
      table.add({name, word(row, "name"), word(row, "state"), time_text(number(row, "for_seconds")),
                 weights(row), word(row, "in_flight"), operations(row), word(row, "served"),
                 word(row, "ejections"), first_bytes(row), reason(row)});
    }
    if (number(pool, "operations_limit") > 0)
      remarks += printable("pool " + name + " takes " + word(pool, "operations_limit") +
                           " operations, and has " + word(pool, "operations")) +
                 "\n";
    if (flag(pool, "panics"))
      remarks += "pool " + printable(name) +
                 " panics: so little of it is left that ejected servers are used as well\n";
  }
  return table.text() + remarks;
}

std::string operations_table(const json& page) {
  Table table({"ID", "CLIENT", "POOL", "SERVER", "OPERATION", "REPOSITORY OR PATH", "PHASE", "AGE", "IDLE",
               "IN", "OUT", "RATE", "TRIES"});
  for (const json& row : list(page, "operations")) {
    table.add({word(row, "id"), word(row, "client"), word(row, "pool"), word(row, "server"),
               word(row, "operation"), word(row, "repository") + word(row, "path"), phase(row),
               time_text(number(row, "age_ms") / 1000), time_text(number(row, "idle_ms") / 1000),
               bytes_text(number(row, "bytes_in")), bytes_text(number(row, "bytes_out")),
               bytes_text(number(row, "bytes_per_second")) + "/s", word(row, "attempts")});
  }
  return table.text() + remarks_of(page, "active");
}

std::string queue_table(const json& page) {
  Table table({"POOL", "CORE", "POSITION", "WAITS FOR", "CLASS", "REPOSITORY OR PATH", "CLIENT", "NETWORK",
               "WAITED", "AT MOST"});
  for (const json& row : list(page, "queue")) {
    const double left = number(row, "deadline_ms");
    table.add({word(row, "pool"), word(row, "core"), word(row, "position"), word(row, "reason"),
               word(row, "class"), word(row, "repository") + word(row, "path"), word(row, "client"),
               word(row, "network"), time_text(number(row, "waited_ms") / 1000),
               time_text(left / 1000) + " more"});
  }
  return table.text() + remarks_of(page, "waiting");
}

std::string server_line(const json& row) {
  return printable(word(row, "name") + ": " + word(row, "state") + ", weight " + weights(row) + ", " +
                   word(row, "in_flight") + " in flight") +
         "\n";
}

}  // namespace breakwater::app
