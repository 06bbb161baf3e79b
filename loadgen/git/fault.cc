#include "git/fault.h"

namespace breakwater::storm {

void Complaint::say(GitFault what, std::string_view words) {
  if (fault != GitFault::none) return;
  fault = what;
  go_on(words);
}

void Complaint::go_on(std::string_view words) {
  for (const char c : words) {
    if (text.size() == text_bytes_max) return;
    const bool is_control = (c >= 0 && c < 0x20) || c == 0x7f;
    text += is_control ? ' ' : c;
  }
}

}  // namespace breakwater::storm
