// Durations and sizes as operators write them: a whole number and a unit, nothing else.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace breakwater::config {

using Duration = std::chrono::milliseconds;

// "500ms", "30s", "10m", "1h". nullopt for anything else, and for what 64 bits of milliseconds can't hold.
std::optional<Duration> parse_duration(std::string_view text) noexcept;

// "4096", "16KiB", "1MiB", "1GiB". nullopt for anything else, and for what 64 bits of bytes can't hold.
std::optional<uint64_t> parse_size(std::string_view text) noexcept;

// In the largest unit that loses nothing: "10m", "90s", "1500ms"; "16KiB", "5000".
std::string format_duration(Duration duration);
std::string format_size(uint64_t bytes);

}  // namespace breakwater::config
