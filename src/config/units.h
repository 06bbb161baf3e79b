// Durations and sizes as operators write them: "30s", "500ms", "16KiB". Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "config/config.h"

namespace breakwater::config {

std::optional<Duration> parse_duration(std::string_view text);  // ms, s, m, h; "off" is 0
std::optional<uint64_t> parse_size(std::string_view text);      // plain bytes, KiB, MiB, GiB; "off" is 0

}  // namespace breakwater::config
