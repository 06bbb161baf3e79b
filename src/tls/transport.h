// Where the library's bytes come from and go to during one call of an engine's: the caller's spans. For the
// sources of this folder.
//
// It also watches the framing of what comes in, to count the records.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "tls/idle_records.h"
#include "tls/wolfssl.h"

namespace breakwater::tls {

class TicketKeys;

class Transport {
 public:
  // Nothing is read while there is less room than this: what the library may have to say to one record (an
  // alert, the answer to a key update) always finds room, so it never has to be told that there is none.
  static constexpr size_t room_min = 512;

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

  IdleRecords& idle_records() noexcept { return idle_records_; }

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
  bool starved_of_room_ = false;
  bool is_storm_ = false;
  uint8_t plain_alert_ = 0;
  IdleRecords idle_records_ = IdleRecords::of_handshake();
};

// The library's callbacks; `context` is the Transport.
int receive_for_library(WOLFSSL* connection, char* buffer, int size, void* context) noexcept;
int send_for_library(WOLFSSL* connection, char* bytes, int size, void* context) noexcept;

}  // namespace breakwater::tls
