#include "plan/read_access_log.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

namespace breakwater::storm {

namespace {

using nlohmann::json;

constexpr int64_t second_us = 1'000'000;

// So many digits from `at`, or less than 0.
int64_t digits(std::string_view text, size_t at, size_t count) {
  int64_t value = 0;
  for (size_t i = at; i < at + count; ++i) {
    if (text[i] < '0' || text[i] > '9') return INT64_MIN;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

// Days since 1970 of a date in the Gregorian calendar (Howard Hinnant's days_from_civil).
int64_t days_of(int64_t year, int64_t month, int64_t day) {
  year -= month <= 2 ? 1 : 0;
  const int64_t era = year / 400;
  const int64_t year_of_era = year - era * 400;
  const int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

// "2026-11-27T08:46:18.123456Z" as microseconds since 1970.
std::optional<int64_t> us_of(std::string_view time) {
  constexpr std::string_view form = "0000-00-00T00:00:00.000000Z";
  if (time.size() != form.size()) return std::nullopt;
  for (size_t i = 0; i < form.size(); ++i)
    if (form[i] != '0' && form[i] != time[i]) return std::nullopt;
  const int64_t year = digits(time, 0, 4), month = digits(time, 5, 2), day = digits(time, 8, 2);
  const int64_t hour = digits(time, 11, 2), minute = digits(time, 14, 2), second = digits(time, 17, 2);
  const int64_t us = digits(time, 20, 6);
  if (std::min({year, month, day, hour, minute, second, us}) < 0 || month < 1 || month > 12)
    return std::nullopt;
  return (((days_of(year, month, day) * 24 + hour) * 60 + minute) * 60 + second) * second_us + us;
}

std::string text_of(const json& line, const char* key) {
  const auto found = line.find(key);
  return found != line.end() && found->is_string() ? found->get<std::string>() : std::string();
}

double number_in(const json& line, const char* key) {
  const auto found = line.find(key);
  return found != line.end() && found->is_number() ? found->get<double>() : 0;
}

}  // namespace

bool AccessLogReader::add(std::string_view text) {
  const json line = json::parse(text.begin(), text.end(), nullptr, false);
  if (!line.is_object()) return false;
  const std::optional<int64_t> ended_us = us_of(text_of(line, "time"));
  if (!ended_us) return false;
  if (line.contains("event")) return true;
  const double total_ms = number_in(line, "total_ms");
  const std::string client = text_of(line, "client");
  constexpr double day_ms = 86'400'000;
  if (client.empty() || !line.contains("total_ms") || !(total_ms >= 0 && total_ms <= day_ms)) return false;

  const std::string git = text_of(line, "git");
  constexpr int unauthorized = 401;
  if (git.empty() || number_in(line, "status") == unauthorized) return true;
  const bool pushes = git == "info/refs receive-pack";
  const bool is_dumb = git == "dumb" && text_of(line, "path").find("/info/refs") != std::string::npos;
  if (pushes || is_dumb || git == "info/refs upload-pack") {
    const Command command{.at_us = *ended_us - static_cast<int64_t>(total_ms * 1000),
                          .repository = number_of(text_of(line, "repository")),
                          .pushes = pushes,
                          .protocol = static_cast<unsigned>(number_in(line, "git_protocol") == 2 ? 2 : 0)};
    if (is_dumb)
      log_.operations.push_back({command.at_us, LoggedOperation::Kind::dumb, command.repository});
    else
      begin(client, command);
    return true;
  }
  const auto running = running_.find(client);
  if (running == running_.end()) return true;
  running->second.posts += git == "upload-pack" ? 1 : 0;
  running->second.has_pushed = running->second.has_pushed || git == "receive-pack";
  return true;
}

void AccessLogReader::begin(const std::string& client, const Command& command) {
  const auto [place, is_new] = running_.try_emplace(client, command);
  if (is_new) return;
  end(place->second);
  place->second = command;
}

// By version 2 the first POST asks for the refs; without a second one it was `git ls-remote`, or a fetch of
// nothing new, which is the same. A push without its POST had nothing to push.
void AccessLogReader::end(const Command& command) {
  using Kind = LoggedOperation::Kind;
  if (command.pushes && !command.has_pushed) return;
  const unsigned before_pack = command.protocol == 2 ? 1 : 0;
  const Kind kind = command.pushes ? Kind::push : command.posts > before_pack ? Kind::fetch : Kind::list;
  log_.operations.push_back({command.at_us, kind, command.repository});
}

uint32_t AccessLogReader::number_of(const std::string& repository) {
  const auto [place, is_new] = numbers_.try_emplace(repository, static_cast<uint32_t>(numbers_.size()));
  if (is_new) log_.repositories.push_back(repository);
  return place->second;
}

AccessLog AccessLogReader::finish() {
  for (const auto& [client, command] : running_) end(command);
  running_.clear();
  std::ranges::sort(log_.operations);
  if (!log_.operations.empty()) {
    const int64_t first_us = log_.operations.front().at_us;
    for (LoggedOperation& each : log_.operations) each.at_us -= first_us;
  }
  return std::exchange(log_, {});
}

}  // namespace breakwater::storm
