#include "tls/client_messages.h"

#include <algorithm>
#include <cstring>

namespace breakwater::tls {

namespace {

constexpr uint8_t user_canceled = 90;
constexpr char update_requested = 1;

}  // namespace

ClientMessages::Said ClientMessages::take(RecordType type, std::span<const char> content,
                                          Version version) noexcept {
  if (type == RecordType::handshake) return take_handshake(content, version);
  if (type == RecordType::alert && !amid_message()) return take_alert(content, version);
  return refuse(Alert::unexpected_message);
}

ClientMessages::Said ClientMessages::take_alert(std::span<const char> content, Version version) noexcept {
  if (content.size() != 2) return refuse(Alert::decode_error);
  const auto level = static_cast<uint8_t>(content[0]);
  const auto alert = static_cast<uint8_t>(content[1]);
  if (alert == static_cast<uint8_t>(Alert::close_notify)) return Said::good_bye;
  // By TLS 1.3 the level says nothing (RFC 8446 §6).
  const bool is_harmless = version == Version::tls13 ? alert == user_canceled : level == warning_level;
  if (is_harmless) return Said::nothing;
  fault_ = {.kind = FaultKind::alert, .alert = alert};
  return Said::gave_up;
}

// By TLS 1.3 a client has one thing to say. By TLS 1.2 it wants to renegotiate.
ClientMessages::Said ClientMessages::take_handshake(std::span<const char> content, Version version) noexcept {
  if (version != Version::tls13) return refuse(Alert::no_renegotiation);
  if (content.empty()) return refuse(Alert::unexpected_message);
  const size_t taken = std::min(content.size(), message_.size() - bytes_);
  std::memcpy(message_.data() + bytes_, content.data(), taken);
  bytes_ += taken;
  const size_t seen = std::min(bytes_, update_message.size() - 1);
  if (!std::equal(update_message.begin(), update_message.begin() + seen, message_.begin()))
    return refuse(Alert::unexpected_message);
  if (bytes_ < message_.size()) return Said::nothing;
  bytes_ = 0;
  const char wish = message_.back();
  if (wish != 0 && wish != update_requested) return refuse(Alert::decode_error);
  // What stands behind it would be by the new key.
  if (taken < content.size()) return refuse(Alert::unexpected_message);
  return wish == update_requested ? Said::new_keys : Said::new_key;
}

ClientMessages::Said ClientMessages::refuse(Alert alert) noexcept {
  fault_ = {.kind = FaultKind::protocol};
  alert_ = alert;
  return Said::wrong;
}

}  // namespace breakwater::tls
