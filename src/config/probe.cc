#include "config/probe.h"

#include <algorithm>
#include <vector>

#include "base/parse_number.h"
#include "config/message.h"
#include "config/nearest.h"
#include "config/schema.h"
#include "config/words.h"

namespace breakwater::config {
namespace {

constexpr Word<Probe::Type> type_words[] = {{"off", Probe::Type::off},
                                            {"tcp", Probe::Type::tcp},
                                            {"http", Probe::Type::http},
                                            {"git", Probe::Type::git}};

bool parse_type(std::string_view text, Probe::Type& type, std::string& why) {
  std::vector<std::string_view> texts;
  for (const auto& word : type_words) {
    texts.push_back(word.text);
    if (word.text != text) continue;
    type = word.value;
    return true;
  }
  const std::string_view near = nearest(text, texts);
  why = "the first word must be " + one_of(texts) + (near.empty() ? "" : "; " + did_you_mean(near));
  return false;
}

bool parse_status(std::string_view text, uint16_t& status, std::string& why) {
  uint32_t number = 0;
  const bool good = parse_number(text, number) && number >= probe_status_min && number <= probe_status_max;
  if (good)
    status = static_cast<uint16_t>(number);
  else
    why = "the status must be an integer from " + std::to_string(probe_status_min) + " to " +
          std::to_string(probe_status_max);
  return good;
}

// info/refs is put behind it.
bool check_repository(std::string_view path, std::string& why) {
  if (!check_request_path(path, why)) return false;
  if (!path.ends_with('/')) return true;
  why = "the path must be that of a repository, as in \"git /owner/repo.git\"";
  return false;
}

}  // namespace

bool check_request_path(std::string_view path, std::string& why) {
  const auto is_visible = [](char c) { return c > ' ' && c < 0x7F; };
  why.clear();
  if (!path.starts_with('/'))
    why = "a path begins with /";
  else if (path.size() > request_path_bytes_max)
    why = "a path has at most " + std::to_string(request_path_bytes_max) + " bytes";
  else if (!std::all_of(path.begin(), path.end(), is_visible))
    why = "a path is of visible ASCII characters; write others as %XX";
  else if (path.find_first_of("?#") != std::string_view::npos)
    why = "a path has no ? and no #";
  return why.empty();
}

bool parse_probe(std::string_view text, Probe& probe, std::string& why) {
  const std::vector<std::string_view> words = words_of(text);
  Probe read = probe;
  read.path.clear();
  read.status = Probe{}.status;
  if (!parse_type(words.empty() ? "" : words[0], read.type, why)) return false;
  const bool has_path = read.type == Probe::Type::http || read.type == Probe::Type::git;
  const size_t words_max = read.type == Probe::Type::http ? 3 : has_path ? 2 : 1;
  if (words.size() > words_max) {
    why = ticked(words[words_max]) + " is a word too many";
    return false;
  }
  if (has_path) {
    if (words.size() < 2) {
      why = std::string("a path must follow, as in ") +
            (read.type == Probe::Type::http ? "\"http /healthcheck\"" : "\"git /owner/repo.git\"");
      return false;
    }
    const auto check = read.type == Probe::Type::git ? check_repository : check_request_path;
    if (!check(words[1], why)) return false;
    read.path = words[1];
  }
  if (words.size() == 3 && !parse_status(words[2], read.status, why)) return false;
  probe = std::move(read);
  return true;
}

std::string format_probe(const Probe& probe) {
  std::string text(text_of<Probe::Type>(type_words, probe.type));
  if (!probe.path.empty()) text.append(" ").append(probe.path);
  if (probe.status != Probe{}.status) text.append(" ").append(std::to_string(probe.status));
  return text;
}

}  // namespace breakwater::config
