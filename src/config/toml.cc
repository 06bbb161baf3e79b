#define TOML_IMPLEMENTATION
#include "config/toml.h"

#include "config/message.h"

namespace breakwater::config {
namespace {

struct TomlGaveUp {};

std::string sentence(std::string_view description) {
  std::string message = shown(description, 300);
  if (!message.empty() && message[0] >= 'A' && message[0] <= 'Z')
    message[0] = static_cast<char>(message[0] + 32);
  return message;
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
    const bool open_string =
        message.find("control characters") != std::string::npos;  // it met the line's end
    return Problem{begin.line, begin.column, "this is not TOML: " + message,
                   open_string ? "is a closing quote missing?" : ""};
  } catch (const TomlGaveUp&) {
    return Problem{0, 0, "this is not TOML, and its parser can't say where", ""};
  }
}

}  // namespace breakwater::config
