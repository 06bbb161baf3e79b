#include "plan/url.h"

#include <algorithm>

#include "base/parse_number.h"

namespace breakwater::storm {

namespace {

constexpr size_t path_bytes_max = 2048;  // a head has room for it (profile.h)

bool read_port(std::string_view text, uint16_t& port) {
  return parse_number(text, port) && port != 0;
}

bool is_of_host(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
         c == '_' || c == ':';
}

// Visible, and no end of a path.
bool is_of_path(char c) {
  return c > ' ' && c < 0x7f && c != '?' && c != '#';
}

bool is_path(std::string_view path) {
  return path.size() <= path_bytes_max && std::all_of(path.begin(), path.end(), is_of_path);
}

std::string_view without_last_slashes(std::string_view path) {
  while (path.ends_with('/')) path.remove_suffix(1);
  return path;
}

// Scheme, host and port; `path` is what stands behind them. Otherwise why not.
std::string_view read_parts(std::string_view url, Target& target, std::string_view& path) {
  if (url.starts_with("https://")) {
    target.tls = true;
    target.port = 443;
    url.remove_prefix(8);
  } else if (url.starts_with("http://")) {
    target.tls = false;
    target.port = 80;
    url.remove_prefix(7);
  } else {
    return "it has to begin with http:// or https://";
  }
  std::string_view authority = url.substr(0, url.find('/'));
  path = url.substr(authority.size());
  if (authority.find('@') != std::string_view::npos)
    return "credentials don't belong there; name the user, and the file with the password, by themselves";
  const size_t bracket = authority.rfind(']');
  const size_t colon = authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
  if (colon != std::string_view::npos) {
    if (!read_port(authority.substr(colon + 1), target.port)) return "its port is none";
    authority = authority.substr(0, colon);
  }
  if (authority.starts_with('[') && authority.ends_with(']'))
    authority = authority.substr(1, authority.size() - 2);
  if (authority.empty()) return "its host is missing";
  if (!std::all_of(authority.begin(), authority.end(), is_of_host)) return "its host is none";
  if (!is_path(path)) return "its path has what no path has";
  target.host = authority;
  return {};
}

// Without what may be a password.
std::string sentence(std::string_view url, std::string_view of_what, std::string_view why) {
  const size_t at = url.rfind('@');
  if (at != std::string_view::npos) url = url.substr(at);
  return "'" + std::string(url) + "' is no URL of a " + std::string(of_what) + ": " + std::string(why);
}

}  // namespace

std::string read_url(std::string_view url, Target& target) {
  std::string_view path;
  const std::string_view why = read_parts(url, target, path);
  if (!why.empty()) return sentence(url, "repository", why);
  path = without_last_slashes(path);
  if (path.empty()) return sentence(url, "repository", "its path is missing");
  target.repositories = {std::string(path)};
  return {};
}

std::string read_server_url(std::string_view url, Target& target) {
  std::string_view path;
  const std::string_view why = read_parts(url, target, path);
  if (!why.empty()) return sentence(url, "server", why);
  target.prefix = without_last_slashes(path);
  return {};
}

std::string server_url(const Target& target) {
  const bool is_v6 = target.host.find(':') != std::string::npos;
  return (target.tls ? "https://" : "http://") + (is_v6 ? "[" + target.host + "]" : target.host) + ":" +
         std::to_string(target.port) + target.prefix;
}

std::string read_repository(std::string_view path) {
  while (path.starts_with('/')) path.remove_prefix(1);
  path = without_last_slashes(path);
  if (path.empty() || !is_path(path)) return {};
  return "/" + std::string(path);
}

}  // namespace breakwater::storm
