// Where the library's bytes come from and go to during one call of an engine's: the caller's spans. For the
// sources of this folder.
//
// It also watches the framing of what comes in, for a peer may send records that hold no data as long as it
// likes (empty ones, key updates, tickets), each of which costs us a decryption or more.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "tls/wolfssl.h"

namespace breakwater::tls {

class TicketKeys;

class Transport {
 public:
  // Nothing is read while there is less room than this: what the library may have to say to one record (an
  // alert, the answer to a key update) always finds room, so it never has to be told that there is none.
  static constexpr size_t room_min = 512;
  // Records without data that may come in a row; each `bytes_per_record` of data allow one more.
  static constexpr int32_t idle_records_max = 32;
  static constexpr int64_t bytes_per_record = 64 * 1024;
  // Many more than an honest handshake has, in which each message may lie in a record of its own.
  static constexpr int32_t handshake_records_max = 256;

  // The spans of this call. What is taken and given shortens them from their fronts.
  void begin(std::span<const char>& in, std::span<char>& out) noexcept {
    in_ = &in;
    out_ = &out;
    starved_of_room_ = false;
  }
  void end() noexcept {
    in_ = nullptr;
    out_ = nullptr;
  }

  // The handshake's messages are no storm; counting begins anew behind it.
  void handshake_is_over() noexcept { idle_records_ = 0; }
  // So many bytes of data came out of the record that was read last.
  void data_came(size_t bytes) noexcept;

  bool starved_of_room() const noexcept { return starved_of_room_; }
  bool is_storm() const noexcept { return is_storm_; }
  // Of an alert that came in the clear; 0: none did. The library takes one for a break of the protocol where
  // it waits for what is sealed.
  uint8_t plain_alert() const noexcept { return plain_alert_; }
  bool amid_record() const noexcept { return body_left_ > 0 || head_bytes_ > 0; }

  int receive(std::span<char> buffer) noexcept;
  int send(std::span<const char> bytes) noexcept;

  // For the library's ticket callback, which knows nothing else of us; null where there are no tickets.
  const TicketKeys* tickets = nullptr;

 private:
  void watch(std::span<const char> bytes) noexcept;

  std::span<const char>* in_ = nullptr;
  std::span<char>* out_ = nullptr;
  std::array<uint8_t, 5> head_{};
  uint32_t body_left_ = 0;  // of the record that is being read
  uint8_t head_bytes_ = 0;
  bool record_is_new_ = false;  // no data came out of it so far
  bool starved_of_room_ = false;
  bool is_storm_ = false;
  uint8_t plain_alert_ = 0;
  int32_t idle_records_ = idle_records_max - handshake_records_max;
  int64_t data_bytes_ = 0;  // since the last record that they paid for
};

// The library's callbacks; `context` is the Transport.
int receive_for_library(WOLFSSL* connection, char* buffer, int size, void* context) noexcept;
int send_for_library(WOLFSSL* connection, char* bytes, int size, void* context) noexcept;

}  // namespace breakwater::tls
