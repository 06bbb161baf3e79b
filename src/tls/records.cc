#include "tls/records.h"

#include <algorithm>
#include <cstring>

#include "base/assert.h"

namespace breakwater::tls {

namespace {

constexpr size_t record_bytes_max = RecordKey::head_bytes + RecordKey::body_bytes_max;

enum Alert : uint8_t {
  close_notify = 0,
  unexpected_message = 10,
  bad_record_mac = 20,
  record_overflow = 22,
  decode_error = 50,
  internal_error = 80,
  user_canceled = 90,
  no_renegotiation = 100,
};
constexpr uint8_t warning = 1;
constexpr uint8_t fatal = 2;

constexpr uint8_t key_update = 24;  // RFC 8446 §4.6.3
constexpr size_t key_update_bytes = 5;
constexpr uint8_t update_requested = 1;

}  // namespace

// ---- opening

Step Records::open(std::span<char>& in, std::span<char>& data, std::span<char>& out) noexcept {
  for (;;) {
    if (fault_) return Step::failed;
    if (closed_) return Step::closed;
    give_held(data);
    if (data.empty() || holds_data()) return Step::wants_room;
    if (in.empty()) return Step::wants_input;
    // What we may have to say to a record finds room.
    if (out.size() < room_min) return Step::wants_room;
    const std::span<char> record = next_record(in, out);
    if (record.empty()) continue;  // there is no more of it, or it is none
    open_record(record, data, out);
    if (record.data() == partial_.get()) partial_bytes_ = 0;
    if (partial_bytes_ == 0) partial_.reset();
  }
}

// The next whole one, out of `in` or put together in partial_; empty if there is none.
std::span<char> Records::next_record(std::span<char>& in, std::span<char>& out) noexcept {
  constexpr size_t head_bytes = RecordKey::head_bytes;
  if (partial_bytes_ == 0 && in.size() >= head_bytes) {
    const size_t bytes = head_bytes + body_bytes_of(in.data(), out);
    if (fault_) return {};
    if (in.size() >= bytes) {
      const std::span<char> record = in.first(bytes);
      in = in.subspan(bytes);
      return record;
    }
  }
  if (!partial_) partial_ = std::make_unique_for_overwrite<char[]>(record_bytes_max);
  const auto take_until = [&](size_t bytes) {
    const size_t taken = std::min(bytes - partial_bytes_, in.size());
    std::memcpy(partial_.get() + partial_bytes_, in.data(), taken);
    partial_bytes_ += taken;
    in = in.subspan(taken);
    return partial_bytes_ == bytes;
  };
  if (partial_bytes_ < head_bytes && !take_until(head_bytes)) return {};
  const size_t bytes = head_bytes + body_bytes_of(partial_.get(), out);
  if (fault_ || !take_until(bytes)) return {};
  return {partial_.get(), bytes};
}

// How long what stands behind a head is; fault() if it is none.
size_t Records::body_bytes_of(const char* head, std::span<char>& out) noexcept {
  const auto at = [head](size_t index) { return static_cast<uint8_t>(head[index]); };
  const size_t bytes = size_t{at(3)} << 8 | at(4);
  const bool is_known = at(0) >= static_cast<uint8_t>(RecordType::change_cipher_spec) &&
                        at(0) <= static_cast<uint8_t>(RecordType::data);
  const bool is_hidden = at(0) == static_cast<uint8_t>(RecordType::data);
  if (at(1) != 3 || at(2) != 3 || !is_known || (is_tls13() && !is_hidden))
    fail(FaultKind::protocol, unexpected_message, out);
  else if (bytes > RecordKey::body_bytes_max)
    fail(FaultKind::protocol, record_overflow, out);
  return bytes;
}

void Records::open_record(std::span<char> record, std::span<char>& data, std::span<char>& out) noexcept {
  idle_records_.record_came();
  if (idle_records_.are_too_many()) return fail(FaultKind::storm, unexpected_message, out);
  std::span<char> content = record.subspan(RecordKey::head_bytes);
  auto type = static_cast<RecordType>(record[0]);
  if (!receiving.open(type, content)) return fail(FaultKind::bad_record, bad_record_mac, out);
  if (content.size() > RecordKey::content_bytes_max) return fail(FaultKind::protocol, record_overflow, out);
  if (message_bytes_ > 0 && type != RecordType::handshake)  // in the midst of a message
    return fail(FaultKind::protocol, unexpected_message, out);
  switch (type) {
    case RecordType::data:
      return take_data(content, data);
    case RecordType::alert:
      return take_alert(content, out);
    case RecordType::handshake:
      return take_handshake(content, out);
    case RecordType::change_cipher_spec:
      break;
  }
  fail(FaultKind::protocol, unexpected_message, out);
}

void Records::take_data(std::span<const char> content, std::span<char>& data) noexcept {
  if (content.empty()) return;
  idle_records_.data_came(content.size());
  const size_t given = std::min(content.size(), data.size());
  std::memmove(data.data(), content.data(), given);
  data = data.subspan(given);
  if (given == content.size()) return;
  held_ = std::make_unique_for_overwrite<char[]>(content.size() - given);
  held_begin_ = 0;
  held_end_ = content.size() - given;
  std::memcpy(held_.get(), content.data() + given, held_end_);
}

void Records::give_held(std::span<char>& data) noexcept {
  const size_t given = std::min(held_end_ - held_begin_, data.size());
  if (given > 0) std::memcpy(data.data(), held_.get() + held_begin_, given);
  data = data.subspan(given);
  held_begin_ += given;
  if (!holds_data()) held_.reset();
}

void Records::take_alert(std::span<const char> content, std::span<char>& out) noexcept {
  if (content.size() != 2) return fail(FaultKind::protocol, decode_error, out);
  const auto level = static_cast<uint8_t>(content[0]);
  const auto alert = static_cast<uint8_t>(content[1]);
  if (alert == close_notify) {
    closed_ = true;
    return;
  }
  // By TLS 1.3 the level says nothing (RFC 8446 §6).
  const bool is_harmless = is_tls13() ? alert == user_canceled : level == warning;
  if (!is_harmless) fault_ = {.kind = FaultKind::alert, .alert = alert};
}

// By TLS 1.3 a client that showed its certificate has one thing to say. By TLS 1.2 it wants to renegotiate.
void Records::take_handshake(std::span<const char> content, std::span<char>& out) noexcept {
  if (!is_tls13()) return fail(FaultKind::protocol, no_renegotiation, out);
  if (content.empty()) return fail(FaultKind::protocol, unexpected_message, out);
  const size_t taken = std::min(content.size(), key_update_bytes - message_bytes_);
  std::memcpy(message_.data() + message_bytes_, content.data(), taken);
  message_bytes_ += taken;
  constexpr std::array<uint8_t, 4> head = {key_update, 0, 0, 1};
  const size_t seen = std::min(message_bytes_, head.size());
  if (!std::equal(head.begin(), head.begin() + seen, message_.begin()))
    return fail(FaultKind::protocol, unexpected_message, out);
  if (message_bytes_ < key_update_bytes) return;
  const uint8_t wish = message_[4];
  message_bytes_ = 0;
  if (wish > update_requested) return fail(FaultKind::protocol, decode_error, out);
  // What stands behind it would be sealed by the new key.
  if (taken < content.size()) return fail(FaultKind::protocol, unexpected_message, out);
  const bool updated = receiving.update() && (wish != update_requested || update_sending(out));
  if (!updated) fail(FaultKind::internal, internal_error, out);
}

// Our own key update; there must be room for it.
bool Records::update_sending(std::span<char>& out) noexcept {
  constexpr std::array<char, key_update_bytes> message = {key_update, 0, 0, 1, 0};
  return write(RecordType::handshake, message, out) && sending.update();
}

Fault Records::ended() noexcept {
  if (!closed_ && !fault_) fault_ = {.kind = FaultKind::truncated};
  return fault_;
}

// ---- sealing

Step Records::seal(std::span<const char>& data, std::span<char>& out) noexcept {
  if (fault_) return Step::failed;
  while (!data.empty()) {
    constexpr size_t spare = RecordKey::overhead_max + key_update_bytes;  // for a key update
    const bool key_is_used_up = is_tls13() && sending.traffic_key().sequence >= records_of_key_max;
    if (out.size() <= RecordKey::overhead_max + (key_is_used_up ? spare : 0)) return Step::wants_room;
    if (key_is_used_up && !update_sending(out)) {
      fault_ = {.kind = FaultKind::internal};
      return Step::failed;
    }
    const size_t bytes =
        std::min({data.size(), RecordKey::content_bytes_max, out.size() - RecordKey::overhead_max});
    if (!write(RecordType::data, data.first(bytes), out)) {
      fault_ = {.kind = FaultKind::internal};
      return Step::failed;
    }
    data = data.subspan(bytes);
  }
  return Step::done;
}

Step Records::close(std::span<char>& out) noexcept {
  if (fault_) return Step::failed;
  constexpr std::array<char, 2> alert = {warning, close_notify};
  if (out.size() < RecordKey::overhead_max + alert.size()) return Step::wants_room;
  return write(RecordType::alert, alert, out) ? Step::done : Step::failed;
}

bool Records::write(RecordType type, std::span<const char> content, std::span<char>& out) noexcept {
  BW_ASSERT(out.size() >= content.size() + RecordKey::overhead_max);
  const size_t bytes = sending.seal(type, content, out.data());
  out = out.subspan(bytes);
  return bytes > 0;
}

void Records::fail(FaultKind kind, uint8_t alert, std::span<char>& out) noexcept {
  if (fault_) return;
  const int code = kind == FaultKind::bad_record ? static_cast<int>(VERIFY_MAC_ERROR) : 0;
  fault_ = {.kind = kind, .library_code = static_cast<int16_t>(code)};
  const std::array<char, 2> content = {fatal, static_cast<char>(alert)};
  if (out.size() >= RecordKey::overhead_max + content.size()) write(RecordType::alert, content, out);
}

}  // namespace breakwater::tls
