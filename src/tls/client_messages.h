// What a client says besides data once hands are shaken: alerts, and by TLS 1.3 that it changes its key (RFC
// 8446 §4.6.3 and §6; RFC 5246 §7.2). Read here, for Records and for KernelRecords, which act on it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "tls/alert.h"
#include "tls/context.h"
#include "tls/fault.h"
#include "tls/record_key.h"

namespace breakwater::tls {

class ClientMessages {
 public:
  enum class Said : uint8_t {
    nothing,   // that anything has to be done for
    good_bye,  // no more data comes
    new_key,   // its next record is by its next key
    new_keys,  // the same, and ours shall be, too, behind update_message
    wrong,     // fault() says what it is, and alert() what it is to be told
    gave_up,   // fault() has its alert; it is told nothing
  };
  static constexpr std::array<char, 5> update_message = {24, 0, 0, 1, 0};

  // The content of a record that is no data.
  Said take(RecordType type, std::span<const char> content, Version version) noexcept;
  // A part of a message came, and only its rest may follow.
  bool amid_message() const noexcept { return bytes_ > 0; }
  const Fault& fault() const noexcept { return fault_; }
  Alert alert() const noexcept { return alert_; }

 private:
  Said take_alert(std::span<const char> content, Version version) noexcept;
  Said take_handshake(std::span<const char> content, Version version) noexcept;
  Said refuse(Alert alert) noexcept;

  Fault fault_;
  Alert alert_ = Alert::unexpected_message;
  std::array<char, update_message.size()> message_{};
  size_t bytes_ = 0;
};

}  // namespace breakwater::tls
