#include "proxy/access_log.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

namespace breakwater::proxy {

namespace {

// Length of the valid UTF-8 sequence that `text` begins with (RFC 3629), or 0.
size_t utf8_length(std::string_view text) {
  const auto byte = [&](size_t index) { return static_cast<uint8_t>(text[index]); };
  const auto follows = [&](size_t index, uint8_t low, uint8_t high) {
    return index < text.size() && byte(index) >= low && byte(index) <= high;
  };
  const uint8_t first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return follows(1, 0x80, 0xbf) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    const uint8_t low = first == 0xe0 ? 0xa0 : 0x80;
    const uint8_t high = first == 0xed ? 0x9f : 0xbf;
    return follows(1, low, high) && follows(2, 0x80, 0xbf) ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    const uint8_t low = first == 0xf0 ? 0x90 : 0x80;
    const uint8_t high = first == 0xf4 ? 0x8f : 0xbf;
    return follows(1, low, high) && follows(2, 0x80, 0xbf) && follows(3, 0x80, 0xbf) ? 4 : 0;
  }
  return 0;
}

// Writes one JSON object. The sum below shows that it can't run out of room.
class Line {
 public:
  explicit Line(std::span<char, access_line_bytes_max> out) : out_(out) {}

  void text(std::string_view name, std::string_view value, size_t bytes_max) {
    key(name);
    put('"');
    escape(value.substr(0, bytes_max));
    put('"');
  }
  void number(std::string_view name, uint64_t value) {
    key(name);
    digits(value, 1);
  }
  void milliseconds(std::string_view name, int64_t ns) {
    key(name);
    const uint64_t us = static_cast<uint64_t>(std::max<int64_t>(ns, 0)) / 1000;
    digits(us / 1000, 1);
    put('.');
    digits(us % 1000, 3);
  }
  void flag(std::string_view name, bool value) {
    key(name);
    raw(value ? "true" : "false");
  }
  void time(std::string_view name, int64_t ns);
  size_t end() {
    raw("}\n");
    return bytes_;
  }

 private:
  void put(char byte) {
    if (bytes_ < out_.size()) out_[bytes_++] = byte;
  }
  void raw(std::string_view text) {
    for (const char byte : text) put(byte);
  }
  void key(std::string_view name) {
    put(bytes_ == 0 ? '{' : ',');
    put('"');
    raw(name);
    raw("\":");
  }
  void digits(uint64_t value, size_t width) {
    std::array<char, 20> text;
    const auto end = std::to_chars(text.data(), text.data() + text.size(), value);
    const size_t count = static_cast<size_t>(end.ptr - text.data());
    for (size_t pad = count; pad < width; pad++) put('0');
    raw({text.data(), count});
  }
  void escape(std::string_view text) {
    while (!text.empty()) {
      const unsigned char byte = static_cast<unsigned char>(text.front());
      const size_t length = utf8_length(text);
      if (byte == '"' || byte == '\\') {
        put('\\');
        put(text.front());
      } else if (byte < 0x20 || byte == 0x7f) {
        raw("\\u00");
        put("0123456789abcdef"[byte >> 4]);
        put("0123456789abcdef"[byte & 15]);
      } else if (length == 0) {
        raw("\xef\xbf\xbd");  // U+FFFD
      } else {
        raw(text.substr(0, length));
      }
      text.remove_prefix(std::max<size_t>(length, 1));
    }
  }

  std::span<char, access_line_bytes_max> out_;
  size_t bytes_ = 0;
};

// RFC 3339, UTC, microseconds. Civil date from days since 1970 (Howard Hinnant's days_from_civil, inverted).
void Line::time(std::string_view name, int64_t ns) {
  const int64_t us = ns / 1000;
  const int64_t seconds = us / 1'000'000;
  const int64_t days = seconds / 86400 + 719468;
  const int64_t era = days / 146097;
  const int64_t day_of_era = days % 146097;
  const int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int64_t shifted_month = (5 * day_of_year + 2) / 153;
  const int64_t day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
  const int64_t month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
  const int64_t year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);
  const int64_t second_of_day = seconds % 86400;
  key(name);
  put('"');
  digits(static_cast<uint64_t>(year), 4);
  put('-');
  digits(static_cast<uint64_t>(month), 2);
  put('-');
  digits(static_cast<uint64_t>(day), 2);
  put('T');
  digits(static_cast<uint64_t>(second_of_day / 3600), 2);
  put(':');
  digits(static_cast<uint64_t>(second_of_day / 60 % 60), 2);
  put(':');
  digits(static_cast<uint64_t>(second_of_day % 60), 2);
  put('.');
  digits(static_cast<uint64_t>(us % 1'000'000), 6);
  raw("Z\"");
}

// How many bytes of each text are kept. A byte takes six at most (\u0001), so the whole line fits whatever a
// peer sends.
constexpr size_t word_bytes = 32;  // method, queued_for, ended_by, phase, timeout
constexpr size_t name_bytes = 64;  // ids, addresses, listener, pool, host, git
constexpr size_t path_bytes = 512;
constexpr size_t repository_bytes = 255;
constexpr size_t agent_bytes = 100;
constexpr size_t server_bytes = 128;
constexpr size_t host_bytes = 100;
constexpr size_t subject_bytes = 128;
constexpr size_t reason_bytes = 200;
constexpr size_t fixed_bytes = 1024;  // keys, punctuation, numbers, time
static_assert(6 * (6 * word_bytes + 7 * name_bytes + host_bytes + subject_bytes + path_bytes +
                   repository_bytes + agent_bytes + server_bytes + reason_bytes) +
                  fixed_bytes <=
              access_line_bytes_max);

}  // namespace

size_t format_access_line(const AccessRecord& record, std::span<char, access_line_bytes_max> out) noexcept {
  Line line(out);
  line.time("time", record.time_ns);
  line.text("request_id", record.request_id, name_bytes);
  line.text("client", record.client, name_bytes);
  line.text("listener", record.listener, name_bytes);
  if (!record.tls.empty()) {
    line.text("tls", record.tls, word_bytes);
    line.text("tls_suite", record.tls_suite, name_bytes);
    line.flag("tls_resumed", record.tls_resumed);
  }
  if (!record.tls_name.empty()) line.text("tls_name", record.tls_name, host_bytes);
  if (!record.tls_client.empty()) line.text("tls_client", record.tls_client, subject_bytes);
  line.text("method", record.method, word_bytes);
  line.text("host", record.host, name_bytes);
  line.text("path", record.path, path_bytes);
  if (!record.git.empty()) {
    line.text("git", record.git, name_bytes);
    line.number("git_protocol", record.git_protocol);
    line.text("repository", record.repository, repository_bytes);
  }
  line.text("user_agent", record.user_agent, agent_bytes);
  line.text("pool", record.pool, name_bytes);
  line.text("server", record.server, server_bytes);
  line.number("status", record.status);
  line.number("bytes_in", record.bytes_in);
  line.number("bytes_out", record.bytes_out);
  line.milliseconds("head_ms", record.head_ns);
  if (!record.queued_for.empty()) {
    line.milliseconds("queue_ms", record.queue_ns);
    line.text("queued_for", record.queued_for, word_bytes);
  }
  line.milliseconds("connect_ms", record.connect_ns);
  line.milliseconds("send_ms", record.send_ns);
  line.milliseconds("first_byte_ms", record.first_byte_ns);
  line.milliseconds("total_ms", record.total_ns);
  line.number("attempts", record.attempts);
  line.flag("reused", record.reused);
  line.text("ended_by", record.ended_by, word_bytes);
  line.text("phase", record.phase, word_bytes);
  if (!record.timeout.empty()) line.text("timeout", record.timeout, word_bytes);
  if (!record.reason.empty()) line.text("reason", record.reason, reason_bytes);
  return line.end();
}

}  // namespace breakwater::proxy
