// Every table and key the file may have, with its bounds: the parser, its hints and the test of
// docs/configuration.md read the same lists. Defaults are not here: they are the members' initialisers in
// config.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "config/config.h"

namespace breakwater::config {

inline constexpr std::string_view table_names[] = {"listen", "pool",  "timeouts", "limits",
                                                   "log",    "admin", "process"};

inline constexpr std::string_view listen_keys[] = {"bind", "pool", "trusted"};
inline constexpr std::string_view pool_keys[] = {"servers", "upload_pack_framing"};
inline constexpr std::string_view log_keys[] = {"target", "path"};
inline constexpr std::string_view admin_keys[] = {"bind"};
inline constexpr std::string_view process_keys[] = {"cores", "pin", "pid_file"};

struct DurationKey {
  std::string_view name;
  Duration Timeouts::* member;
  Duration min, max;
  bool takes_off = false;  // "off" is stored as 0
};

inline constexpr Duration timeout_min{
    10};  // one turn of a busy loop may take a few ms; less would cut healthy peers
inline constexpr Duration hour{3'600'000};

inline constexpr DurationKey timeout_keys[] = {
    {"head", &Timeouts::head, timeout_min, hour},
    {"keep_alive", &Timeouts::keep_alive, timeout_min, 24 * hour},
    {"connect", &Timeouts::connect, timeout_min, hour},
    {"response", &Timeouts::response, timeout_min, 24 * hour},
    {"idle", &Timeouts::idle, timeout_min, 24 * hour},
    {"server_idle", &Timeouts::server_idle, timeout_min, 24 * hour},
    {"linger", &Timeouts::linger, timeout_min, Duration{60'000}},
    {"drain", &Timeouts::drain, timeout_min, 24 * hour, true},
};

struct SizeKey {
  std::string_view name;
  uint64_t min, max;
  bool takes_off = false;  // "off" is stored as 0
};

// A head and 4 KiB of what follows it share one 20 KiB head buffer, hence 16 KiB.
inline constexpr SizeKey head_bytes_key{"head_bytes", 1024, 16 * 1024};
inline constexpr SizeKey target_bytes_key{"target_bytes", 256, 16 * 1024};
inline constexpr SizeKey body_bytes_key{"body_bytes", 1024, 1ull << 50, true};

struct CountKey {
  std::string_view name;
  uint32_t Limits::* member;
  uint32_t min, max;
};

inline constexpr uint32_t buffers_max = 32'768;  // what the kernel takes in one provided-buffer ring

inline constexpr CountKey limit_count_keys[] = {
    {"connections", &Limits::connections, 1, 1'000'000},
    {"servers_idle", &Limits::servers_idle, 0, 65'536},  // 0: no connection to a server is used twice
    {"head_buffers", &Limits::head_buffers, 16, buffers_max},
    {"bulk_buffers", &Limits::bulk_buffers, 4, buffers_max},
    {"pipes", &Limits::pipes, 0, 65'536},  // 0: nothing is spliced
};

inline constexpr uint32_t cores_max = 1024;

// Bounds of the file itself, so that no text can make the parser use much time, memory or stack.
inline constexpr size_t file_bytes_max = 1 << 20;
inline constexpr size_t name_bytes_max = 64;  // of a listen or pool: they go into every log line
inline constexpr size_t listens_max = 64;
inline constexpr size_t pools_max = 1024;
inline constexpr size_t servers_per_pool_max = 256;
inline constexpr size_t trusted_max = 256;

}  // namespace breakwater::config
