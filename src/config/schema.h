// Every table and key the file may have, with its bounds: the parser, its hints and the test of
// docs/configuration.md read the same lists. Defaults are not here: they are the members' initialisers in
// config.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
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

// A word of a choice, and what it stands for.
template <typename Value>
struct Word {
  std::string_view text;
  Value value;
};

template <typename Owner, typename Value>
struct WordKey {
  std::string_view name;
  Value Owner::* member;
  std::span<const Word<Value>> words;
  std::string_view hint;  // where no word is near the one that stands there
};

inline constexpr Word<UploadPackFraming> framing_words[] = {{"chunked", UploadPackFraming::chunked},
                                                            {"until-close", UploadPackFraming::until_close},
                                                            {"auto", UploadPackFraming::automatic}};
inline constexpr WordKey<Pool, UploadPackFraming> framing_key{"upload_pack_framing",
                                                              &Pool::upload_pack_framing, framing_words, ""};

inline constexpr Word<Log::Target> log_targets[] = {
    {"stdout", Log::Target::standard_output}, {"file", Log::Target::file}, {"off", Log::Target::off}};

struct DurationRule {
  std::string_view name;
  Duration min, max;
  bool takes_off = false;  // "off" is stored as 0
};

template <typename Owner>
struct DurationKey : DurationRule {
  Duration Owner::* member;
};

inline constexpr Duration timeout_min{
    10};  // one turn of a busy loop may take a few ms; less would cut healthy peers
inline constexpr Duration hour{3'600'000};

inline constexpr DurationKey<Timeouts> timeout_keys[] = {
    {{"head", timeout_min, hour}, &Timeouts::head},
    {{"keep_alive", timeout_min, 24 * hour}, &Timeouts::keep_alive},
    {{"connect", timeout_min, hour}, &Timeouts::connect},
    {{"response", timeout_min, 24 * hour}, &Timeouts::response},
    {{"idle", timeout_min, 24 * hour}, &Timeouts::idle},
    {{"server_idle", timeout_min, 24 * hour}, &Timeouts::server_idle},
    {{"linger", timeout_min, Duration{60'000}}, &Timeouts::linger},
    {{"drain", timeout_min, 24 * hour, true}, &Timeouts::drain},
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

struct CountRule {
  std::string_view name;
  uint32_t min, max;
  bool takes_off = false;  // "off" is stored as 0
};

template <typename Owner>
struct CountKey : CountRule {
  uint32_t Owner::* member;
};

inline constexpr uint32_t buffers_max = 32'768;  // what the kernel takes in one provided-buffer ring

inline constexpr CountKey<Limits> limit_count_keys[] = {
    {{"connections", 1, 1'000'000}, &Limits::connections},
    {{"servers_idle", 0, 65'536}, &Limits::servers_idle},  // 0: no connection to a server is used twice
    {{"head_buffers", 16, buffers_max}, &Limits::head_buffers},
    {{"bulk_buffers", 4, buffers_max}, &Limits::bulk_buffers},
    {{"pipes", 0, 65'536}, &Limits::pipes},  // 0: nothing is spliced
};

inline constexpr CountRule cores_rule{"cores", 1, 1024};

// Bounds of the file itself, so that no text can make the parser use much time, memory or stack.
inline constexpr size_t file_bytes_max = 1 << 20;
inline constexpr size_t name_bytes_max = 64;  // of a listen or pool: they go into every log line
inline constexpr size_t listens_max = 64;
inline constexpr size_t pools_max = 1024;
inline constexpr size_t servers_per_pool_max = 256;
inline constexpr size_t trusted_max = 256;

inline constexpr uint32_t weight_max = 256;           // of a server
inline constexpr size_t socket_path_bytes_max = 107;  // what the kernel takes: unix(7)

}  // namespace breakwater::config
