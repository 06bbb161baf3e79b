#include "config/server.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "base/parse_number.h"
#include "config/message.h"
#include "config/nearest.h"
#include "config/network.h"
#include "config/parse.h"
#include "config/schema.h"
#include "config/words.h"

namespace breakwater::config {
namespace {

constexpr std::string_view unix_prefix = "unix:";
constexpr std::string_view service_prefix = "srv:";

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

bool parse_service(std::string_view name, Endpoint& endpoint, std::string& why) {
  why.clear();
  if (name.find(':') != std::string_view::npos)
    why = "the ports of a service come from its SRV records; leave the port out";
  else if (!name.starts_with('_') || !is_host_name(name))
    why = "the name of a service is like _git._tcp.example.com";
  if (!why.empty()) return false;
  endpoint = {.host = std::string(name), .service = true};
  return true;
}

// What stands behind `prefix`; nothing if that is the name of a host and a port follows.
std::optional<std::string_view> behind(std::string_view prefix, std::string_view text) {
  if (!text.starts_with(prefix)) return std::nullopt;
  const std::string_view rest = text.substr(prefix.size());
  const bool is_port = !rest.empty() && rest[0] >= '0' && rest[0] <= '9';
  if (is_port) return std::nullopt;
  return rest;
}

bool parse_address(std::string_view text, Endpoint& endpoint, std::string& why) {
  if (const auto name = behind(service_prefix, text)) return parse_service(*name, endpoint, why);
  if (!parse_endpoint_or_socket(text, endpoint, why)) return false;
  if (!endpoint.path.empty() || (!endpoint.host.empty() && endpoint.port != 0)) return true;
  why = endpoint.host.empty() ? "it needs a host" : "it needs a port other than 0";
  return false;
}

// A word with a number behind it: "weight=50".
struct NumberWord {
  std::string_view name;
  uint32_t min, max;
  uint32_t Server::* member;
};
constexpr NumberWord number_words[] = {{"weight", 0, weight_max, &Server::weight},
                                       {"slots", 1, slots_max, &Server::slots},
                                       {"max", 1, operations_max, &Server::max}};
constexpr std::string_view word_names[] = {"weight", "slots", "max", "backup", "primary"};

bool set_number(std::string_view text, const NumberWord& word, Server& server, std::string& why) {
  uint32_t number = 0;
  if (parse_number(text, number) && number >= word.min && number <= word.max) {
    server.*word.member = number;
    return true;
  }
  why = ticked(word.name) + " must be an integer from " + std::to_string(word.min) + " to " +
        std::to_string(word.max);
  return false;
}

bool parse_word(std::string_view word, Server& server, std::string& why) {
  if (word == "backup") return server.backup = true;
  if (word == "primary") return server.primary = true;
  const std::string_view name = word.substr(0, word.find('='));
  for (const NumberWord& known : number_words)
    if (known.name == name && name.size() < word.size())
      return set_number(word.substr(name.size() + 1), known, server, why);
  const std::string_view near = nearest(name, word_names);
  why = "unknown word " + ticked(word) + " behind the address; " +
        (near.empty() || near == word ? "there are `weight=50`, `max=20`, `slots=8`, `backup` and `primary`"
                                      : did_you_mean(near));
  return false;
}

}  // namespace

bool parse_endpoint_or_socket(std::string_view text, Endpoint& endpoint, std::string& why) {
  if (const auto path = behind(unix_prefix, text)) return parse_socket_path(*path, endpoint, why);
  if (!text.starts_with('/')) return parse_endpoint(text, endpoint, why);
  why = "a unix socket is written unix:" + shown(text);
  return false;
}

bool parse_server(std::string_view text, Server& server, std::string& why) {
  const std::vector<std::string_view> words = words_of(text);
  Server read;
  if (!parse_address(words.empty() ? "" : words[0], read.address, why)) return false;
  std::vector<std::string_view> seen;
  for (size_t index = 1; index < words.size(); ++index) {
    if (!parse_word(words[index], read, why)) return false;
    const std::string_view name = words[index].substr(0, words[index].find('='));
    if (std::find(seen.begin(), seen.end(), name) != seen.end()) {
      why = ticked(name) + " stands there twice";
      return false;
    }
    seen.push_back(name);
  }
  if (std::find(seen.begin(), seen.end(), "slots") != seen.end() && !is_name(read.address)) {
    why = "`slots` is for names; this is one address";
    return false;
  }
  server = std::move(read);
  return true;
}

uint32_t slots_of(const Server& server) {
  return is_name(server.address) ? server.slots : 1;
}

uint32_t slots_of(const Pool& pool) {
  uint32_t sum = 0;
  for (const Server& server : pool.servers) sum += slots_of(server);
  return sum;
}

}  // namespace breakwater::config
