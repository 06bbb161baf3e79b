#include "tls/records.h"

#include <algorithm>
#include <cstring>

#include "base/assert.h"

namespace breakwater::tls {

namespace {

constexpr size_t sealed_bytes_max = RecordKey::head_bytes + RecordKey::body_bytes_max;

}  // namespace

// ---- opening

Step Records::open(std::span<char>& in, std::span<char>& data, std::span<char>& out) noexcept {
  for (;;) {
    if (fault_) return Step::failed;
    if (closed_) return Step::closed;
    give_held(data);
    if (data.empty() || holds_data()) return Step::wants_room;
    if (in.empty()) {
      if (partial_bytes_ == 0) partial_.reset();
      return Step::wants_input;
    }
    // What we may have to say to a record finds room.
    if (out.size() < room_min) return Step::wants_room;
    const std::span<char> record = next_record(in, out);
    if (record.empty()) continue;  // there is no more of it, or it is none
    open_record(record, data, out);
    if (record.data() == partial_.get()) partial_bytes_ = 0;
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
  if (!partial_) partial_ = std::make_unique_for_overwrite<char[]>(sealed_bytes_max);
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
    fail(FaultKind::protocol, Alert::unexpected_message, out);
  else if (bytes > RecordKey::body_bytes_max)
    fail(FaultKind::protocol, Alert::record_overflow, out);
  return bytes;
}

void Records::open_record(std::span<char> record, std::span<char>& data, std::span<char>& out) noexcept {
  idle_records_.record_came();
  if (idle_records_.are_too_many()) return fail(FaultKind::storm, Alert::unexpected_message, out);
  std::span<char> content = record.subspan(RecordKey::head_bytes);
  auto type = static_cast<RecordType>(record[0]);
  if (!receiving.open(type, content)) return fail(FaultKind::bad_record, Alert::bad_record_mac, out);
  if (content.size() > RecordKey::content_bytes_max)
    return fail(FaultKind::protocol, Alert::record_overflow, out);
  if (type == RecordType::data && !messages_.amid_message()) return take_data(content, data);
  take_message(type, content, out);
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

void Records::take_message(RecordType type, std::span<const char> content, std::span<char>& out) noexcept {
  using Said = ClientMessages::Said;
  const Said said = messages_.take(type, content, receiving.traffic_key().version);
  switch (said) {
    case Said::nothing:
      return;
    case Said::good_bye:
      closed_ = true;
      return;
    case Said::new_key:
    case Said::new_keys:
      if (receiving.update() && (said == Said::new_key || update_sending(out))) return;
      return fail(FaultKind::internal, Alert::internal_error, out);
    case Said::wrong:
      return fail(messages_.fault().kind, messages_.alert(), out);
    case Said::gave_up:
      fault_ = messages_.fault();
  }
}

// Our own key update; there must be room for it.
bool Records::update_sending(std::span<char>& out) noexcept {
  return write(RecordType::handshake, ClientMessages::update_message, out) && sending.update();
}

Fault Records::ended() noexcept {
  if (!closed_ && !fault_) fault_ = {.kind = FaultKind::truncated};
  return fault_;
}

// ---- sealing

Step Records::seal(std::span<const char>& data, std::span<char>& out) noexcept {
  if (fault_) return Step::failed;
  while (!data.empty()) {
    constexpr size_t spare =
        RecordKey::overhead_max + ClientMessages::update_message.size();  // for a key update
    const bool key_is_used_up = is_tls13() && sending.traffic_key().sequence >= records_of_key_max;
    if (out.size() <= RecordKey::overhead_max + (key_is_used_up ? spare : 0)) return Step::wants_room;
    const bool has_key = !key_is_used_up || update_sending(out);
    const size_t bytes =
        std::min({data.size(), RecordKey::content_bytes_max, out.size() - RecordKey::overhead_max});
    if (!has_key || !write(RecordType::data, data.first(bytes), out)) {
      fault_ = {.kind = FaultKind::internal};
      return Step::failed;
    }
    data = data.subspan(bytes);
  }
  return Step::done;
}

Step Records::close(std::span<char>& out) noexcept {
  if (fault_) return Step::failed;
  constexpr std::array<char, 2> alert = alert_content(Alert::close_notify);
  if (out.size() < RecordKey::overhead_max + alert.size()) return Step::wants_room;
  return write(RecordType::alert, alert, out) ? Step::done : Step::failed;
}

bool Records::write(RecordType type, std::span<const char> content, std::span<char>& out) noexcept {
  BW_ASSERT(out.size() >= content.size() + RecordKey::overhead_max);
  const size_t bytes = sending.seal(type, content, out.data());
  out = out.subspan(bytes);
  return bytes > 0;
}

void Records::fail(FaultKind kind, Alert alert, std::span<char>& out) noexcept {
  if (fault_) return;
  const int code = kind == FaultKind::bad_record ? static_cast<int>(VERIFY_MAC_ERROR) : 0;
  fault_ = {.kind = kind, .library_code = static_cast<int16_t>(code)};
  const std::array<char, 2> content = alert_content(alert);
  if (out.size() >= RecordKey::overhead_max + content.size()) write(RecordType::alert, content, out);
}

}  // namespace breakwater::tls
