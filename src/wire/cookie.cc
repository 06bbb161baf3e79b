#include "wire/cookie.h"

namespace breakwater::wire {

namespace {

std::string_view trimmed(std::string_view text) noexcept {
  const size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

}  // namespace

bool next_cookie(std::string_view& rest, Cookie& cookie) noexcept {
  if (rest.empty()) return false;
  const size_t end = rest.find(';');
  cookie = {.name = {}, .value = {}, .raw = rest.substr(0, end)};
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  const size_t equals = cookie.raw.find('=');
  if (equals == std::string_view::npos) {
    cookie.value = trimmed(cookie.raw);
  } else {
    cookie.name = trimmed(cookie.raw.substr(0, equals));
    cookie.value = trimmed(cookie.raw.substr(equals + 1));
  }
  return true;
}

std::string_view name_of_set_cookie(std::string_view value) noexcept {
  Cookie first;
  return next_cookie(value, first) ? first.name : std::string_view();
}

}  // namespace breakwater::wire
