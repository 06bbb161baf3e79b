#include "app/sticky_key.h"

#include <sys/random.h>

#include <array>
#include <cstdint>
#include <span>

#include "base/assert.h"
#include "base/read_file.h"
#include "tls/mac.h"

namespace breakwater::app {

namespace {

constexpr size_t own_key_bytes = 32;
constexpr size_t file_bytes_max = 4096;
constexpr size_t value_mac_bytes = 16;  // of the hash: more than can be guessed

std::string base64url(std::span<const uint8_t> bytes) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string text;
  uint32_t bits = 0;
  uint32_t held = 0;
  for (const uint8_t byte : bytes) {
    bits = bits << 8 | byte;
    for (held += 8; held >= 6; held -= 6) text.push_back(digits[bits >> (held - 6) & 63]);
  }
  if (held > 0) text.push_back(digits[bits << (6 - held) & 63]);
  return text;
}

std::string new_key() {
  std::string key(own_key_bytes, '\0');
  const ssize_t got = getrandom(key.data(), key.size(), 0);
  BW_ASSERT(got == static_cast<ssize_t>(key.size()));  // so few bytes come whole: getrandom(2)
  return key;
}

bool read_key(const std::string& path, std::string& key, std::string& why) {
  const std::string what = "the key of sticky cookies in " + path;
  std::string reason;
  if (!read_file(path, file_bytes_max + 1, key, reason)) {
    why = what + " can't be read: " + reason;
    return false;
  }
  // An editor's line end is no part of a secret.
  while (!key.empty() && (key.back() == '\n' || key.back() == '\r')) key.pop_back();
  if (key.size() >= tls::mac_key_bytes_min && key.size() <= file_bytes_max) return true;
  why = what + " must have " + std::to_string(tls::mac_key_bytes_min) + " to " +
        std::to_string(file_bytes_max) + " bytes (head -c 32 /dev/urandom | base64 makes one)";
  return false;
}

}  // namespace

std::optional<StickyKey> StickyKey::make(const config::Sticky& sticky, std::string& why) {
  if (sticky.key_file.empty()) return StickyKey(new_key());
  std::string key;
  if (!read_key(sticky.key_file, key, why)) return std::nullopt;
  return StickyKey(std::move(key));
}

std::string StickyKey::value_for(std::string_view pool, std::string_view server) const {
  std::string message("breakwater sticky");  // or a key that is used elsewhere, too, would give the same
  message.append(1, '\0').append(pool).append(1, '\0').append(server);
  const tls::Mac mac = tls::hmac_sha256(bytes_, message);
  return base64url(std::span(mac).first(value_mac_bytes));
}

}  // namespace breakwater::app
