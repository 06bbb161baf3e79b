#include "command/url.h"

#include <charconv>

namespace breakwater::storm {

namespace {

bool read_port(std::string_view text, uint16_t& port) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc{} && end == text.data() + text.size() && port != 0;
}

}  // namespace

std::string read_url(std::string_view url, Target& target) {
  const std::string_view whole = url;
  const auto wrong = [whole](std::string_view why) {
    return "'" + std::string(whole) + "' is no URL of a repository: " + std::string(why);
  };
  if (url.starts_with("https://")) {
    target.tls = true;
    target.port = 443;
    url.remove_prefix(8);
  } else if (url.starts_with("http://")) {
    target.tls = false;
    target.port = 80;
    url.remove_prefix(7);
  } else {
    return wrong("it has to begin with http:// or https://");
  }
  const size_t slash = url.find('/');
  if (slash == std::string_view::npos || slash + 1 == url.size()) return wrong("its path is missing");
  std::string_view authority = url.substr(0, slash);
  const std::string_view path = url.substr(slash);
  if (authority.find('@') != std::string_view::npos)
    return wrong("credentials don't belong there; use --user and --password-file");
  if (path.find_first_of("?# \r\n\t") != std::string_view::npos)
    return wrong("its path has what no path has");
  const size_t bracket = authority.rfind(']');
  const size_t colon = authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
  if (colon != std::string_view::npos) {
    if (!read_port(authority.substr(colon + 1), target.port)) return wrong("its port is none");
    authority = authority.substr(0, colon);
  }
  if (authority.starts_with('[') && authority.ends_with(']'))
    authority = authority.substr(1, authority.size() - 2);
  if (authority.empty()) return wrong("its host is missing");
  target.host = authority;
  target.repositories = {std::string(path.ends_with('/') ? path.substr(0, path.size() - 1) : path)};
  return {};
}

double read_rate(std::string_view text) {
  double seconds = 1;
  if (text.ends_with("/m")) seconds = 60;
  if (text.ends_with("/h")) seconds = 3600;
  if (text.ends_with("/s") || seconds > 1) text.remove_suffix(2);
  double count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  const bool is_number = error == std::errc{} && end == text.data() + text.size();
  return is_number && count > 0 && count < 1e9 ? count / seconds : 0;
}

}  // namespace breakwater::storm
