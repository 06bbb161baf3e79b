// What the body of a POST to a server says: its state, its weight, or both, in JSON (docs/admin.md). Pure.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>

#include "backends/health.h"

namespace breakwater::app {

struct ServerChange {
  std::optional<backends::Word> word;
  std::optional<uint32_t> weight;  // at most config::weight_max
};

// One of the two at least; or a sentence that says what is wrong, in printable characters.
std::expected<ServerChange, std::string> read_server_change(const std::string& body);

}  // namespace breakwater::app
