// The alerts that we send (RFC 8446 §6), and what stands in the record of one.
#pragma once

#include <array>
#include <cstdint>

namespace breakwater::tls {

enum class Alert : uint8_t {
  close_notify = 0,
  unexpected_message = 10,
  bad_record_mac = 20,
  record_overflow = 22,
  decode_error = 50,
  protocol_version = 70,
  internal_error = 80,
  no_renegotiation = 100,
  no_application_protocol = 120,
};

inline constexpr uint8_t warning_level = 1;
inline constexpr uint8_t fatal_level = 2;

// A close_notify is a warning; with everything else a connection ends.
constexpr std::array<char, 2> alert_content(Alert alert) {
  const uint8_t level = alert == Alert::close_notify ? warning_level : fatal_level;
  return {static_cast<char>(level), static_cast<char>(alert)};
}

}  // namespace breakwater::tls
