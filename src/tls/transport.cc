#include "tls/transport.h"

#include <algorithm>
#include <cstring>

#include "base/assert.h"

namespace breakwater::tls {

constexpr uint8_t alert_type = 21;

void Transport::watch(std::span<const char> bytes) noexcept {
  while (!bytes.empty()) {
    if (body_left_ > 0) {
      const size_t passed = std::min<size_t>(body_left_, bytes.size());
      body_left_ -= static_cast<uint32_t>(passed);
      bytes = bytes.subspan(passed);
      continue;
    }
    head_[head_bytes_++] = static_cast<uint8_t>(bytes[0]);
    bytes = bytes.subspan(1);
    if (head_bytes_ < head_.size()) continue;
    head_bytes_ = 0;
    body_left_ = static_cast<uint32_t>(head_[3] << 8 | head_[4]);
    idle_records_.record_came();
  }
}

int Transport::receive(std::span<char> buffer) noexcept {
  BW_ASSERT(in_ != nullptr);
  if (in_->empty()) return WOLFSSL_CBIO_ERR_WANT_READ;
  if (out_->size() < room_min) {
    starved_of_room_ = true;
    return WOLFSSL_CBIO_ERR_WANT_READ;
  }
  const size_t taken = std::min(buffer.size(), in_->size());
  std::memcpy(buffer.data(), in_->data(), taken);
  watch(in_->first(taken));
  *in_ = in_->subspan(taken);
  // The library may not ask for the rest of it. What is sealed is longer.
  constexpr std::array<uint8_t, 2> alert_length = {0, 2};
  const bool is_alert = head_[0] == alert_type && head_[3] == alert_length[0] && head_[4] == alert_length[1];
  if (is_alert && body_left_ == alert_length[1] && in_->size() >= body_left_)
    plain_alert_ = static_cast<uint8_t>((*in_)[1]);
  if (idle_records_.are_too_many()) {
    is_storm_ = true;
    return WOLFSSL_CBIO_ERR_GENERAL;
  }
  return static_cast<int>(taken);
}

int Transport::send(std::span<const char> bytes) noexcept {
  BW_ASSERT(out_ != nullptr);
  if (out_->empty()) {
    starved_of_room_ = true;
    return WOLFSSL_CBIO_ERR_WANT_WRITE;
  }
  const size_t given = std::min(bytes.size(), out_->size());
  std::memcpy(out_->data(), bytes.data(), given);
  *out_ = out_->subspan(given);
  return static_cast<int>(given);
}

int receive_for_library(WOLFSSL*, char* buffer, int size, void* context) noexcept {
  return static_cast<Transport*>(context)->receive({buffer, static_cast<size_t>(size)});
}

int send_for_library(WOLFSSL*, char* bytes, int size, void* context) noexcept {
  return static_cast<Transport*>(context)->send({bytes, static_cast<size_t>(size)});
}

}  // namespace breakwater::tls
