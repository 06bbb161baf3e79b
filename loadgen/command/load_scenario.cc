#include "command/load_scenario.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>
#include <utility>
#include <variant>

#include "base/read_file.h"
#include "command/first_line.h"
#include "config/message.h"
#include "config/rules.h"
#include "plan/arrivals.h"
#include "plan/read_access_log.h"
#include "plan/read_scenario.h"
#include "plan/url.h"

namespace breakwater::storm {

namespace {

constexpr const char* outcome = "nothing was begun";

bool can_read(const std::string& path) {
  std::string byte, why;
  return read_file(path, 1, byte, why) && !byte.empty();
}

config::Problem problem_of(const NamedFile& file, const std::string& key, const std::string& why) {
  return {file.place.line, file.place.column, key + ": " + config::shown(file.path, 200) + why, ""};
}

// Empty, or what is wrong with it, behind its name. Of a log that is still written the last line may be half.
std::string read_log(const std::string& path, AccessLog& log) {
  std::ifstream file(path, std::ios::binary);
  if (!file.is_open()) return std::string(" can't be read: ") + std::strerror(errno);
  AccessLogReader reader;
  std::string line;
  for (size_t number = 1; std::getline(file, line) && !file.eof(); ++number) {
    if (line.size() <= AccessLogReader::line_bytes_max && number <= arrivals_max && reader.add(line))
      continue;
    return number > arrivals_max
               ? " has more than " + std::to_string(arrivals_max) + " lines"
               : " is no access log of breakwater's: see its line " + std::to_string(number);
  }
  log = reader.finish();
  return log.operations.empty() ? " has no git command that could be replayed" : "";
}

}  // namespace

std::expected<Scenario, std::string> load_scenario(const std::string& path, const std::string& url) {
  Target unused;
  if (!url.empty())
    if (const std::string why = read_server_url(url, unused); !why.empty())
      return std::unexpected("stormgen: --target: " + why + "\n");
  std::string text, reason;
  // One byte more than may be there is enough for the reader to say so.
  if (!read_file(path, config::file_bytes_max + 1, text, reason))
    return std::unexpected("stormgen: can't read " + path + ": " + reason + "\n");
  std::variant<ScenarioFile, config::Problems> read = read_scenario(text, url);
  if (const auto* problems = std::get_if<config::Problems>(&read))
    return std::unexpected(config::render(*problems, path, text, outcome));
  ScenarioFile& file = std::get<ScenarioFile>(read);
  config::Problems problems;
  if (!file.password_file.path.empty()) {
    std::optional<std::string> secret = first_line_of(file.password_file.path);
    if (secret)
      file.scenario.target.secret = std::move(*secret);
    else
      problems.push_back(problem_of(file.password_file, "`password_file` in [target]",
                                    " has no first line that could be read"));
  }
  if (!file.authorities.path.empty() && !can_read(file.authorities.path))
    problems.push_back(problem_of(file.authorities, "`tls_ca` in [target]", " can't be read"));
  for (const NamedLog& each : file.logs) {
    Arrivals& arrivals = file.scenario.arrivals[each.arrivals];
    const std::string why = read_log(each.file.path, arrivals.log);
    if (!why.empty())
      problems.push_back(problem_of(each.file, "`log` in [arrivals." + arrivals.name + "]", why));
  }
  if (!problems.empty()) return std::unexpected(config::render(problems, path, text, outcome));
  return std::move(file.scenario);
}

}  // namespace breakwater::storm
