#include "config/server.h"

#include <algorithm>
#include <charconv>
#include <vector>

#include "config/message.h"
#include "config/nearest.h"
#include "config/parse.h"
#include "config/schema.h"
#include "config/words.h"

namespace breakwater::config {
namespace {

constexpr std::string_view unix_prefix = "unix:";
constexpr std::string_view weight_prefix = "weight=";

// A name goes into logs and metrics, so it is of plain characters.
bool is_plain(char c) {
  return c > ' ' && c < 0x7F && c != '"' && c != '\\';
}

bool parse_socket_path(std::string_view path, Endpoint& endpoint, std::string& why) {
  why.clear();
  if (!path.starts_with('/'))
    why = "the path of a unix socket begins with /";
  else if (path.size() > socket_path_bytes_max)
    why = "the path of a unix socket has at most " + std::to_string(socket_path_bytes_max) + " bytes";
  else if (!std::all_of(path.begin(), path.end(), is_plain))
    why = "the path of a unix socket is of plain ASCII characters, without quotes or backslashes";
  if (!why.empty()) return false;
  endpoint = {.path = std::string(path)};
  return true;
}

bool parse_address(std::string_view text, Endpoint& endpoint, std::string& why) {
  if (text.starts_with(unix_prefix)) {
    const std::string_view rest = text.substr(unix_prefix.size());
    const bool is_port = !rest.empty() && rest[0] >= '0' && rest[0] <= '9';  // of a host with that name
    if (!is_port) return parse_socket_path(rest, endpoint, why);
  }
  if (!parse_endpoint(text, endpoint, why)) return false;
  if (!endpoint.host.empty() && endpoint.port != 0) return true;
  why = endpoint.host.empty() ? "it needs a host" : "it needs a port other than 0";
  return false;
}

bool parse_weight(std::string_view text, uint32_t& weight, std::string& why) {
  uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc{} && end == text.data() + text.size() && number <= weight_max) {
    weight = number;
    return true;
  }
  why = "`weight` must be an integer from 0 to " + std::to_string(weight_max);
  return false;
}

}  // namespace

bool parse_server(std::string_view text, Server& server, std::string& why) {
  const std::vector<std::string_view> words = words_of(text);
  Server read;
  if (!parse_address(words.empty() ? "" : words[0], read.address, why)) return false;
  bool weight_seen = false;
  for (size_t index = 1; index < words.size(); ++index) {
    const std::string_view word = words[index];
    const bool is_weight = word.starts_with(weight_prefix);
    bool* const flag = word == "backup" ? &read.backup : word == "primary" ? &read.primary : nullptr;
    if (is_weight ? weight_seen : flag != nullptr && *flag) {
      why = ticked(word.substr(0, word.find('='))) + " stands there twice";
      return false;
    }
    if (is_weight) {
      weight_seen = true;
      if (!parse_weight(word.substr(weight_prefix.size()), read.weight, why)) return false;
    } else if (flag != nullptr) {
      *flag = true;
    } else {
      static constexpr std::string_view known[] = {"weight", "backup", "primary"};
      const std::string_view near = nearest(word.substr(0, word.find('=')), known);
      why = "unknown word " + ticked(word) + " behind the address; " +
            (near.empty() || near == word ? "there are `weight=50`, `backup` and `primary`"
                                          : did_you_mean(near));
      return false;
    }
  }
  server = std::move(read);
  return true;
}

}  // namespace breakwater::config
