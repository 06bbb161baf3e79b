#include "git/append_line.h"

#include <span>

#include "wire/pkt_line.h"

namespace breakwater::storm {

void append_line(std::string& text, std::string_view payload) {
  const size_t before = text.size();
  text.resize(before + payload.size() + 4);
  const size_t written = wire::write_pkt_line(payload, std::span(text).subspan(before));
  text.resize(before + written);
}

}  // namespace breakwater::storm
