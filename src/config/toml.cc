#define TOML_IMPLEMENTATION
#include "config/toml.h"

#include <algorithm>
#include <string>

#include "base/lower_case.h"
#include "config/message.h"
#include "config/parse_text.h"

namespace breakwater::config {
namespace {

struct TomlGaveUp {};

std::string sentence(std::string_view description) {
  std::string message = shown(description, 300);
  if (!message.empty() && message[0] >= 'A' && message[0] <= 'Z')
    message[0] = static_cast<char>(message[0] + 32);
  return message;
}

// The value of `key = value` that would be a string if it stood in quotes; empty if there is none such: it
// has quotes or parts, or is a number that went wrong.
std::string_view unquoted_value(std::string_view line) {
  const size_t equals = line.find('=');
  if (equals == std::string_view::npos) return {};
  std::string_view value = line.substr(equals + 1);
  value = value.substr(0, value.find('#'));
  const size_t begin = value.find_first_not_of(" \t"), end = value.find_last_not_of(" \t\r");
  if (begin == std::string_view::npos) return {};
  value = value.substr(begin, end + 1 - begin);
  const bool is_number = value.find_first_not_of("+-._0123456789") == std::string_view::npos &&
                         std::count(value.begin(), value.end(), '.') < 2;
  return is_number || value.find_first_of("\"'[]{}=,") != std::string_view::npos ? std::string_view() : value;
}

// Words that other files take for true or false; `off` in quotes is a value of some keys here.
std::string hint_for_word(std::string_view value) {
  const std::string lower = lower_case(value);
  if (lower == "off") return "write \"off\" in quotes, or false where true or false are asked for";
  for (const std::string_view word : {"true", "false", "yes", "no", "on"})
    if (lower == word) return "write true or false";
  return "";
}

std::string hint_for(const std::string& message, std::string_view line) {
  const auto says = [&message](std::string_view words) { return message.find(words) != std::string::npos; };
  if (says("control characters")) return "is a closing quote missing?";  // it met the line's end
  for (const std::string_view value : {"parsing value", "integer", "floating-point", "parsing time",
                                       "parsing date", "boolean", "infinity", "nan"}) {
    if (!says(value)) continue;
    const std::string_view unquoted = unquoted_value(line);
    if (const std::string hint = hint_for_word(unquoted); !hint.empty()) return hint;
    return unquoted.empty() ? "" : "write it in quotes: " + in_quotes(unquoted);
  }
  return "";
}

}  // namespace

void toml_gave_up() {
  throw TomlGaveUp{};
}

std::optional<Problem> parse_toml(std::string_view text, toml::table& root) {
  try {
    root = toml::parse(text);
    return std::nullopt;
  } catch (const toml::parse_error& error) {
    const auto& begin = error.source().begin;
    const std::string message = sentence(error.description());
    const std::string_view rest = text.substr(lines_before(text, begin.line).size());
    return Problem{begin.line, begin.column, "this is not TOML: " + message,
                   hint_for(message, rest.substr(0, rest.find('\n')))};
  } catch (const TomlGaveUp&) {
    return Problem{0, 0, "this is not TOML, and its parser can't say where", ""};
  }
}

}  // namespace breakwater::config
