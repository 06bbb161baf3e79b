// The whole configuration as one immutable value. Made once by parse.h or from the command line, then only
// read, from every core. Every member has its default here, and nowhere else.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace breakwater::config {

using Duration = std::chrono::milliseconds;  // 0 means: no such limit, where a member's comment allows it

// "host:port" as written; host may be a name, an IPv4 address or [v6].
struct Endpoint {
  std::string host;
  uint16_t port = 0;
  std::string text() const;  // "host:port", v6 in brackets
  bool operator==(const Endpoint&) const = default;
};

struct Listen {
  std::string name;
  Endpoint bind;
  std::string pool;
  std::vector<std::string> trusted;  // networks (CIDR) whose X-Forwarded-* we believe; none by default
};

// How servers are asked to frame the packs they send (docs/decisions/0006).
enum class UploadPackFraming : uint8_t {
  chunked,      // as HTTP/1.1 has it
  until_close,  // wherever the end can be proven by Git's own framing: HTTP/1.0, ends with the connection
  automatic,    // the same where a pack is sure to come, from kinds of servers for which it was tried
};

struct Pool {
  std::string name;
  std::vector<Endpoint> servers;
  UploadPackFraming upload_pack_framing = UploadPackFraming::automatic;
};

struct Timeouts {
  Duration head{10'000};        // a client finishes a request head it began; else 408
  Duration keep_alive{60'000};  // a client connection waits for its next request
  Duration connect{5'000};      // a server accepts the connection; then the next server, else 504
  Duration response{600'000};   // a server begins its answer, counted from the last byte sent to it; else 504
  Duration idle{300'000};       // no byte moved in either direction of a body or tunnel
  Duration server_idle{30'000};  // an unused pooled server connection is kept
  Duration linger{2'000};        // after an early answer, bytes the client still sends are read and dropped
  Duration drain{0};  // after SIGTERM running transfers may go on that long; 0: as long as they need
};

struct Limits {                   // per core; proxy/limits.h has the memory sum
  uint32_t connections = 10'000;  // client connections; past it 503, further past it a close
  uint32_t servers_idle = 256;    // unused pooled connections per server
  size_t head_bytes = 16384;      // a request or response head; 431
  size_t target_bytes = 8192;     // a request-target; 414
  uint64_t body_bytes = 0;        // a request body; 413. 0: no cap (Git and LFS need none)
  uint32_t head_buffers = 1024;   // of 20 KiB, for heads and small bodies
  uint32_t bulk_buffers = 128;    // of 128 KiB, for bodies that are copied
  uint32_t pipes = 256;           // for bodies that are spliced
};

struct Log {
  enum class Target : uint8_t { off, standard_output, file };
  Target target = Target::standard_output;
  std::string path;  // of Target::file
};

struct Config {
  std::vector<Listen> listens;
  std::vector<Pool> pools;
  Timeouts timeouts;
  Limits limits;
  Log log;
  bool admin_enabled = false;
  Endpoint admin;        // valid when admin_enabled
  uint32_t cores = 0;    // 0: every CPU this process may run on
  std::string pid_file;  // empty: none
  bool pin = true;       // pin each core's thread to its CPU
};

}  // namespace breakwater::config
