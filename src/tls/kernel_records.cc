#include "tls/kernel_records.h"

#include <endian.h>
#include <linux/tls.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "ring/sys.h"

namespace breakwater::tls {

namespace {

// What they have in common. By TLS 1.2 the nonce of AES-GCM is in the record, where we count it.
template <typename Info>
Info info_of(const TrafficKey& key, uint16_t cipher) {
  Info info{};
  info.info.version = key.version == Version::tls13 ? TLS_1_3_VERSION : TLS_1_2_VERSION;
  info.info.cipher_type = cipher;
  std::memcpy(info.key, key.key.data(), sizeof info.key);
  const uint64_t sequence = htobe64(key.sequence);
  std::memcpy(info.rec_seq, &sequence, sizeof info.rec_seq);
  return info;
}

// A nonce of AES-GCM, of 128 bits or 256, is `salt` and `iv`.
template <typename Info>
Info gcm_info_of(const TrafficKey& key, uint16_t cipher) {
  Info info = info_of<Info>(key, cipher);
  std::memcpy(info.salt, key.nonce.data(), sizeof info.salt);
  const void* const rest = key.version == Version::tls13 ? key.nonce.data() + sizeof info.salt : info.rec_seq;
  std::memcpy(info.iv, rest, sizeof info.iv);
  return info;
}

template <typename Info>
int give_info(int fd, bool is_for_sending, Info&& info) {
  const int status = sys::set_tls_key(fd, is_for_sending, &info, sizeof info);
  explicit_bzero(&info, sizeof info);
  return status;
}

}  // namespace

std::unique_ptr<KernelRecords> KernelRecords::take_over(int fd, const Records& records) {
  if (sys::take_tls_keys(fd) != 0) return nullptr;
  std::unique_ptr<KernelRecords> taken(new KernelRecords(fd, records));
  // What the client sent already, the kernel opens, too.
  if (taken->give(taken->sending_, true) != 0) return nullptr;
  if (taken->give(taken->receiving_, false) != 0) taken->fail(FaultKind::internal, Alert::internal_error);
  return taken;
}

int KernelRecords::give(const TrafficKey& key, bool is_for_sending) noexcept {
  if (key.cipher == Cipher::chacha20_poly1305) {
    auto info = info_of<tls12_crypto_info_chacha20_poly1305>(key, TLS_CIPHER_CHACHA20_POLY1305);
    std::memcpy(info.iv, key.nonce.data(), sizeof info.iv);
    return give_info(fd_, is_for_sending, info);
  }
  if (key.key_bytes == TLS_CIPHER_AES_GCM_256_KEY_SIZE)
    return give_info(fd_, is_for_sending,
                     gcm_info_of<tls12_crypto_info_aes_gcm_256>(key, TLS_CIPHER_AES_GCM_256));
  return give_info(fd_, is_for_sending,
                   gcm_info_of<tls12_crypto_info_aes_gcm_128>(key, TLS_CIPHER_AES_GCM_128));
}

bool KernelRecords::is_for_us(int sys_errno) noexcept {
  return sys_errno == EIO || sys_errno == EBADMSG || sys_errno == EMSGSIZE || sys_errno == EINVAL;
}

Step KernelRecords::receive_failed(int sys_errno) noexcept {
  switch (sys_errno) {
    case EIO:
      return take_record();
    case EBADMSG:  // it can't be opened
      sys::forget_error(fd_);
      return fail(FaultKind::bad_record, Alert::bad_record_mac);
    case EMSGSIZE:
      return fail(FaultKind::protocol, Alert::record_overflow);
    default:  // it is no record
      return fail(FaultKind::protocol, Alert::unexpected_message);
  }
}

// One that is no data.
Step KernelRecords::take_record() noexcept {
  using Said = ClientMessages::Said;
  idle_records_.record_came();
  if (idle_records_.are_too_many()) return fail(FaultKind::storm, Alert::unexpected_message);
  // Longer ones than this are nothing that a client may say, whatever their rest is.
  std::array<char, 64> content;
  uint8_t type = 0;
  const int64_t bytes = sys::receive_tls_record(fd_, type, content.data(), content.size());
  if (bytes == -EAGAIN) return Step::wants_input;
  if (bytes < 0) return fail(FaultKind::protocol, Alert::unexpected_message);
  const Said said = messages_.take(static_cast<RecordType>(type),
                                   {content.data(), static_cast<size_t>(bytes)}, receiving_.version);
  switch (said) {
    case Said::nothing:
      return Step::wants_input;
    case Said::good_bye:
      return Step::closed;
    case Said::new_key:
    case Said::new_keys:
      // A kernel before 6.14 can't change keys, and such a client can't be kept.
      if (update_receiving() && (said == Said::new_key || update_sending())) return Step::wants_input;
      return fail(FaultKind::internal, Alert::internal_error);
    case Said::wrong:
      return fail(messages_.fault().kind, messages_.alert());
    case Said::gave_up:
      break;
  }
  fault_ = messages_.fault();
  return Step::failed;
}

bool KernelRecords::update_sending() noexcept {
  constexpr std::array<char, 5> message = ClientMessages::update_message;
  const auto type = static_cast<uint8_t>(RecordType::handshake);
  return sys::send_tls_record(fd_, type, message.data(), message.size()) == int64_t{message.size()} &&
         sending_.update() && give(sending_, true) == 0;
}

Step KernelRecords::ended() noexcept {
  if (!fault_) fault_ = {.kind = FaultKind::truncated};
  return Step::failed;
}

const msghdr* KernelRecords::end_message() noexcept {
  if (fault_) return nullptr;
  end_.emplace(static_cast<uint8_t>(RecordType::alert), end_content_.data(), end_content_.size());
  return &end_->message;
}

Step KernelRecords::fail(FaultKind kind, Alert alert) noexcept {
  if (!fault_) say(alert);
  if (!fault_) fault_ = {.kind = kind};
  return Step::failed;
}

void KernelRecords::say(Alert alert) noexcept {
  const std::array<char, 2> content = alert_content(alert);
  sys::send_tls_record(fd_, static_cast<uint8_t>(RecordType::alert), content.data(), content.size());
}

}  // namespace breakwater::tls
