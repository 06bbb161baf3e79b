// What seals or opens the records of one direction once hands are shaken, as bytes: for RecordKey, and for a
// kernel that does TLS itself. Wiped when it goes.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>

#include "tls/context.h"

namespace breakwater::tls {

enum class Cipher : uint8_t { aes_gcm, chacha20_poly1305 };

struct TrafficKey {
  static constexpr size_t secret_bytes_max = 48;

  Version version = Version::tls13;
  Cipher cipher = Cipher::aes_gcm;
  std::array<uint8_t, 32> key{};
  std::array<uint8_t, 12> nonce{};  // 4 bytes with TLS 1.2 and AES-GCM
  uint8_t key_bytes = 0;
  uint8_t nonce_bytes = 0;
  uint64_t sequence = 0;  // of the next record
  // With TLS 1.3: what the key is made from, and the next one's secret (RFC 8446 §7.2). 32 bytes or 48,
  // which tells the hash; 0 with TLS 1.2.
  std::array<uint8_t, secret_bytes_max> secret{};
  uint8_t secret_bytes = 0;

  TrafficKey() = default;
  TrafficKey(const TrafficKey&) = default;
  TrafficKey& operator=(const TrafficKey&) = default;
  ~TrafficKey() {
    explicit_bzero(key.data(), key.size());
    explicit_bzero(nonce.data(), nonce.size());
    explicit_bzero(secret.data(), secret.size());
  }

  // To the keys after an update (RFC 8446 §4.6.3). False if the library fails.
  bool update() noexcept;
};

}  // namespace breakwater::tls
