// Records: a TLS connection of a client once hands are shaken, without the library that shook them: data to
// records and back, and what else a client may send (client_messages.h). See docs/decisions/0012.
//
// The calls are an Engine's, which says what they mean, and hands them on to here. Data is sealed from the
// caller's memory into the caller's memory; it is opened where it lies and moved from there. Only of a record
// that is not whole yet, or for whose data there is no place, a copy is kept, as long as it has to be.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "tls/client_messages.h"
#include "tls/fault.h"
#include "tls/idle_records.h"
#include "tls/record_key.h"
#include "tls/step.h"

namespace breakwater::tls {

class Records {
 public:
  static constexpr size_t room_min = 512;
  // By TLS 1.3 a key seals no more records than this, so that they stay secret (RFC 8446 §5.5).
  static constexpr uint64_t records_of_key_max = uint64_t{1} << 24;

  // The keys are to be filled, then start() is called. False if the library fails.
  RecordKey sending, receiving;
  bool start() noexcept { return sending.set() && receiving.set(); }

  Step open(std::span<char>& in, std::span<char>& data, std::span<char>& out) noexcept;
  bool holds_data() const noexcept { return held_begin_ < held_end_; }
  bool amid_record() const noexcept { return partial_bytes_ > 0; }
  Step seal(std::span<const char>& data, std::span<char>& out) noexcept;
  Step close(std::span<char>& out) noexcept;
  Fault ended() noexcept;
  const Fault& fault() const noexcept { return fault_; }

 private:
  bool is_tls13() const noexcept { return receiving.traffic_key().version == Version::tls13; }
  std::span<char> next_record(std::span<char>& in, std::span<char>& out) noexcept;
  size_t body_bytes_of(const char* head, std::span<char>& out) noexcept;
  void open_record(std::span<char> record, std::span<char>& data, std::span<char>& out) noexcept;
  void take_data(std::span<const char> content, std::span<char>& data) noexcept;
  void take_message(RecordType type, std::span<const char> content, std::span<char>& out) noexcept;
  bool update_sending(std::span<char>& out) noexcept;
  bool write(RecordType type, std::span<const char> content, std::span<char>& out) noexcept;
  void give_held(std::span<char>& data) noexcept;
  void fail(FaultKind kind, Alert alert, std::span<char>& out) noexcept;

  Fault fault_;
  bool closed_ = false;
  IdleRecords idle_records_;
  std::unique_ptr<char[]> partial_;  // a record that is not whole
  size_t partial_bytes_ = 0;
  std::unique_ptr<char[]> held_;  // data that came out of one, and found no place
  size_t held_begin_ = 0, held_end_ = 0;
  ClientMessages messages_;
};

}  // namespace breakwater::tls
