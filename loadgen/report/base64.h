// Base64 with padding (RFC 4648, section 4). Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace breakwater::storm {

std::string base64(std::string_view bytes);

// nullopt: anything but whole groups of its alphabet, with padding at the end alone and unused bits zero.
std::optional<std::string> read_base64(std::string_view text);

}  // namespace breakwater::storm
