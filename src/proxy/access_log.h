// One JSON object a line for each request (docs/access-log.md has every field). Pure formatting, no
// allocation.
//
// There is no field for a credential: Authorization and cookies are never looked at here, and the caller
// passes a target whose secret query values were taken out (wire::redact_target).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace breakwater::proxy {

struct AccessRecord {
  int64_t time_ns = 0;  // wall clock, when the line is written
  std::string_view request_id;
  std::string_view client;  // "address:port"
  std::string_view listener;
  std::string_view tls;  // "" or "TLSv1.3"
  std::string_view tls_suite;
  std::string_view tls_name;  // that the client asked for (SNI)
  bool tls_resumed = false;
  std::string_view tls_client;  // "" or the subject of its certificate, verified
  std::string_view method;      // "" if the head could not be read
  std::string_view host;
  std::string_view path;  // redacted
  std::string_view git;   // "" for what is not Git
  uint8_t git_protocol = 0;
  std::string_view repository;
  std::string_view user_agent;
  std::string_view pool;
  std::string_view server;      // "" if none was used
  uint16_t status = 0;          // 0: nothing was answered
  uint64_t bytes_in = 0;        // request body
  uint64_t bytes_out = 0;       // response body
  int64_t head_ns = 0;          // first byte of the head to its end
  int64_t queue_ns = 0;         // waited for a limit of the pool
  std::string_view queued_for;  // "" or which
  int64_t connect_ns = 0;
  int64_t send_ns = 0;        // connected until the request had gone out
  int64_t first_byte_ns = 0;  // request gone out to the answer's first byte
  int64_t total_ns = 0;
  uint32_t attempts = 0;
  bool reused = false;        // the server connection came from the pool
  std::string_view ended_by;  // "done", "client", "server", "proxy"
  std::string_view phase;     // where it ended
  std::string_view timeout;   // "" or the name of the one that fired
  std::string_view reason;    // "" or why it did not go well
};

inline constexpr size_t access_line_bytes_max = 14 * 1024;

// Returns the bytes of the line with its newline. Long values are cut; the line is always valid JSON and
// UTF-8.
size_t format_access_line(const AccessRecord& record, std::span<char, access_line_bytes_max> out) noexcept;

}  // namespace breakwater::proxy
