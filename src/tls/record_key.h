// RecordKey: seals or opens single records by the key of one direction, on wolfCrypt (RFC 8446 §5.2 and §5.3;
// RFC 5246 §6.2.3.3 with RFC 5288 and RFC 7905). It counts the records.
//
// No memory of its own beyond this object, and none is allocated. One thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "tls/traffic_key.h"
#include "tls/wolfssl.h"

namespace breakwater::tls {

enum class RecordType : uint8_t { change_cipher_spec = 20, alert = 21, handshake = 22, data = 23 };

class RecordKey {
 public:
  static constexpr size_t head_bytes = 5;
  static constexpr size_t tag_bytes = 16;
  static constexpr size_t content_bytes_max = 16 * 1024;
  // What a record is longer than its content, at most: head, nonce, type and tag.
  static constexpr size_t overhead_max = head_bytes + 8 + 1 + tag_bytes;
  // Of what stands behind a record's head: with TLS 1.3 it may be padded.
  static constexpr size_t body_bytes_max = content_bytes_max + 256;

  RecordKey() = default;
  RecordKey(const RecordKey&) = delete;
  RecordKey& operator=(const RecordKey&) = delete;
  ~RecordKey();

  // To be filled, then set() is called. Its sequence goes on with the records.
  TrafficKey& traffic_key() noexcept { return key_; }
  const TrafficKey& traffic_key() const noexcept { return key_; }
  // False if the library fails.
  bool set() noexcept;
  // To the next key (TLS 1.3).
  bool update() noexcept { return key_.update() && set(); }

  // Writes the record of `content`, which lies elsewhere, and says how long it is: content and overhead_max
  // at most. 0 if the library fails.
  size_t seal(RecordType type, std::span<const char> content, char* out) noexcept;

  // Opens `body`, what stands behind a head that says `type`, in its place; then `type` is the inner one, and
  // `body` the content. False: it was altered, is of another key, or is no record.
  bool open(RecordType& type, std::span<char>& body) noexcept;

 private:
  struct Nonce {
    uint8_t bytes[12];
  };
  // It is the record's number. The one record that the library sealed by this key before, its Finished, has a
  // random one, so that two are the same once in 2^64 / records.
  bool has_explicit_nonce() const noexcept {
    return key_.version == Version::tls12 && key_.cipher == Cipher::aes_gcm;
  }
  Nonce nonce() const noexcept;
  // What is authenticated beside the content: as many bytes as are said.
  size_t additional_data(RecordType type, size_t content_bytes, const char* head,
                         uint8_t* out) const noexcept;

  TrafficKey key_;
  Aes aes_{};
};

}  // namespace breakwater::tls
