// Writes pkt-lines (gitprotocol-common) into a text that grows: requests of the client, answers of the
// origin.
#pragma once

#include <string>
#include <string_view>

namespace breakwater::storm {

// One pkt-line. A payload that is too long for one adds nothing.
void append_line(std::string& text, std::string_view payload);

}  // namespace breakwater::storm
