// URIs: what is decoded is what a plain decoder makes of it, a query falls apart as a plain splitter has it,
// redaction stays within its room and hides what it must.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "wire/uri.h"

using namespace breakwater::wire;

namespace {

// RFC 3986 §2.1, and no NUL: nothing if an escape has no two digits.
std::optional<std::string> decode_plainly(std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdefABCDEF";
  std::string decoded;
  while (!text.empty()) {
    size_t taken = 1;
    char byte = text[0];
    if (byte == '%') {
      const std::string escape(text.substr(1, 2));
      if (escape.size() < 2 || escape.find_first_not_of(digits) != std::string::npos) return std::nullopt;
      byte = static_cast<char>(std::strtoul(escape.c_str(), nullptr, 16));
      taken = 3;
    }
    if (byte == '\0') return std::nullopt;
    decoded += byte;
    text.remove_prefix(taken);
  }
  return decoded;
}

void check_decoding(std::string_view text, size_t room_bytes) {
  std::array<char, 2048> room;
  std::optional<std::string> expected = decode_plainly(text);
  if (expected && expected->size() > room_bytes) expected.reset();
  const std::optional<std::string_view> decoded = percent_decode(text, std::span(room).first(room_bytes));
  BW_ASSERT(decoded.has_value() == expected.has_value() && (!decoded || *decoded == *expected));
}

std::optional<std::string> value_plainly(std::string query, std::string_view key) {
  if (!query.empty()) query += "&";
  for (; !query.empty(); query.erase(0, query.find('&') + 1)) {
    const std::string pair = query.substr(0, query.find('&')) + "=";
    if (pair.substr(0, pair.find('=')) == key) {
      const std::string value = pair.substr(pair.find('=') + 1);
      return value.substr(0, value.empty() ? 0 : value.size() - 1);
    }
  }
  return std::nullopt;
}

void check_query(std::string_view text) {
  const PathQuery parts = split_query(text);
  BW_ASSERT(parts.path.find('?') == std::string_view::npos);
  const std::string joined = std::string(parts.path) + "?" + std::string(parts.query);
  BW_ASSERT(parts.path.size() == text.size() ? parts.path == text && parts.query.empty() : joined == text);
  // The first key that is there, and one that hardly is.
  const std::string_view first =
      parts.query.substr(0, std::min(parts.query.find('&'), parts.query.find('=')));
  for (const std::string_view key : {first, std::string_view("service")})
    BW_ASSERT(query_value(parts.query, key) == value_plainly(std::string(parts.query), key));
}

void check_redaction(std::string_view text) {
  std::array<char, 64> small;
  std::array<char, 4096> large, again;
  const std::string_view cut = redact_target(text, small);
  const std::string_view redacted = redact_target(text.substr(0, 1000), large);
  BW_ASSERT(cut.size() <= small.size());
  if (text.size() <= 1000) BW_ASSERT(cut == redacted.substr(0, small.size()));
  BW_ASSERT(redact_target(redacted, again) == redacted);
  constexpr std::string_view canary = "canary5eb1";
  if (text.find(canary) != std::string_view::npos) return;
  const std::string some(text.substr(0, 1000));
  const std::string path = some.substr(0, some.find('?'));
  for (const std::string& target :
       {"/x?token=canary5eb1&" + some, "/x?" + some + "&%74OKEN=canary5eb1",
        "http://user:canary5eb1" + path + "@host/", "http://user:" + path + "canary5eb1@host/"})
    BW_ASSERT(redact_target(target, large).find(canary) == std::string_view::npos);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const size_t room_bytes : {0, 5, 512}) check_decoding(text, room_bytes);
  check_query(text);
  check_redaction(text);
  if (is_valid_authority(text)) {
    BW_ASSERT(text.find_first_of(" /@\r\n") == std::string_view::npos);
    const std::string_view host = without_port(text);
    BW_ASSERT(!host.empty() && text.starts_with(host) && is_valid_authority(host) &&
              without_port(host) == host);
    BW_ASSERT(host.size() == text.size() || text[host.size()] == ':');
  }
  return 0;
}
