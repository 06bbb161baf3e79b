#include "config/message.h"

#include <algorithm>

#include "base/utf8.h"

namespace breakwater::config {

using namespace std::string_literals;

std::string shown(std::string_view text, size_t bytes_max) {
  std::string out;
  while (!text.empty()) {
    const size_t bytes = utf8_character_bytes(text);
    const std::string_view character = text.substr(0, std::max<size_t>(bytes, 1));
    if (out.size() + character.size() > bytes_max) return out + "...";
    if (bytes == 0 || utf8_is_control(character))
      out += '?';
    else
      out += character;
    text.remove_prefix(character.size());
  }
  return out;
}

std::string ticked(std::string_view name) {
  return "`" + shown(name) + "`";
}
std::string in_quotes(std::string_view text) {
  return "\"" + shown(text) + "\"";
}
std::string did_you_mean(std::string_view name) {
  return name.empty() ? "" : "did you mean `"s.append(name).append("`?");
}

std::string joined(std::span<const std::string_view> names) {
  std::string out;
  for (const std::string_view name : names.first(std::min<size_t>(names.size(), 8)))
    out.append(out.empty() ? "" : ", ").append(ticked(name));
  return names.size() > 8 ? out + ", ..." : out;
}

std::string one_of(std::span<const std::string_view> words) {
  std::string out;
  for (size_t index = 0; index < words.size(); ++index) {
    if (index > 0) out.append(index + 1 == words.size() ? " or " : ", ");
    out.append(in_quotes(words[index]));
  }
  return out;
}

}  // namespace breakwater::config
