#include "tls/record_key.h"

#include <array>
#include <cstring>

#include "base/assert.h"

namespace breakwater::tls {

namespace {

constexpr size_t explicit_nonce_bytes = 8;
constexpr size_t additional_bytes_max = 13;

byte* bytes_at(char* at) {
  return reinterpret_cast<byte*>(at);
}
const byte* bytes_at(const char* at) {
  return reinterpret_cast<const byte*>(at);
}

void put_number(uint64_t number, size_t bytes, uint8_t* out) {
  while (bytes > 0) {
    out[--bytes] = static_cast<uint8_t>(number);
    number >>= 8;
  }
}

}  // namespace

RecordKey::~RecordKey() {
  explicit_bzero(&aes_, sizeof aes_);
}

bool RecordKey::set() noexcept {
  if (key_.cipher == Cipher::chacha20_poly1305) return key_.key_bytes == CHACHA20_POLY1305_AEAD_KEYSIZE;
  return wc_AesInit(&aes_, nullptr, INVALID_DEVID) == 0 &&
         wc_AesGcmSetKey(&aes_, key_.key.data(), key_.key_bytes) == 0;
}

RecordKey::Nonce RecordKey::nonce() const noexcept {
  Nonce nonce{};
  std::memcpy(nonce.bytes, key_.nonce.data(), key_.nonce_bytes);
  std::array<uint8_t, 8> number{};
  put_number(key_.sequence, number.size(), number.data());
  // Behind the 4 bytes of TLS 1.2 and AES-GCM there is nothing yet, so this writes it.
  for (size_t at = 0; at < number.size(); at++) nonce.bytes[4 + at] ^= number[at];
  return nonce;
}

size_t RecordKey::additional_data(RecordType type, size_t content_bytes, const char* head,
                                  uint8_t* out) const noexcept {
  if (key_.version == Version::tls13) {
    std::memcpy(out, head, head_bytes);
    return head_bytes;
  }
  put_number(key_.sequence, 8, out);
  out[8] = static_cast<uint8_t>(type);
  out[9] = out[10] = 3;
  put_number(content_bytes, 2, out + 11);
  return additional_bytes_max;
}

size_t RecordKey::seal(RecordType type, std::span<const char> content, char* out) noexcept {
  BW_ASSERT(content.size() <= content_bytes_max);
  const bool hides_type = key_.version == Version::tls13;
  const size_t front = has_explicit_nonce() ? explicit_nonce_bytes : 0;
  const size_t sealed = content.size() + (hides_type ? 1 : 0);
  const size_t body_bytes = front + sealed + tag_bytes;
  out[0] = static_cast<char>(hides_type ? RecordType::data : type);
  out[1] = out[2] = 3;
  put_number(body_bytes, 2, bytes_at(out) + 3);
  const Nonce number = nonce();
  std::array<uint8_t, additional_bytes_max> also;
  const size_t also_bytes = additional_data(type, content.size(), out, also.data());
  if (front > 0) std::memcpy(out + head_bytes, number.bytes + 4, front);
  const auto type_byte = static_cast<byte>(type);  // TLS 1.3 seals it behind the content
  byte* const to = bytes_at(out + head_bytes + front);
  byte* const tag = to + sealed;
  const auto length = static_cast<word32>(content.size());
  const auto also_length = static_cast<word32>(also_bytes);
  int status = 0;
  if (key_.cipher == Cipher::chacha20_poly1305) {
    std::memmove(to, content.data(), content.size());
    if (hides_type) to[content.size()] = type_byte;
    status = wc_ChaCha20Poly1305_Encrypt(key_.key.data(), number.bytes, also.data(), also_length, to,
                                         static_cast<word32>(sealed), to, tag);
  } else if (hides_type) {
    status = wc_AesGcmEncryptInit(&aes_, nullptr, 0, number.bytes, sizeof number.bytes);
    if (status == 0)
      status = wc_AesGcmEncryptUpdate(&aes_, to, bytes_at(content.data()), length, also.data(), also_length);
    if (status == 0) status = wc_AesGcmEncryptUpdate(&aes_, to + length, &type_byte, 1, nullptr, 0);
    if (status == 0) status = wc_AesGcmEncryptFinal(&aes_, tag, tag_bytes);
  } else {
    status = wc_AesGcmEncrypt(&aes_, to, bytes_at(content.data()), length, number.bytes, sizeof number.bytes,
                              tag, tag_bytes, also.data(), also_length);
  }
  key_.sequence++;
  return status == 0 ? head_bytes + body_bytes : 0;
}

bool RecordKey::open(RecordType& type, std::span<char>& body) noexcept {
  const size_t front = has_explicit_nonce() ? explicit_nonce_bytes : 0;
  if (body.size() < front + tag_bytes) return false;
  Nonce number = nonce();
  if (front > 0) std::memcpy(number.bytes + 4, body.data(), front);
  std::array<char, head_bytes> head = {static_cast<char>(type), 3, 3, 0, 0};
  put_number(body.size(), 2, bytes_at(head.data()) + 3);
  const std::span<char> sealed = body.subspan(front, body.size() - front - tag_bytes);
  std::array<uint8_t, additional_bytes_max> also;
  const size_t also_bytes = additional_data(type, sealed.size(), head.data(), also.data());
  byte* const at = bytes_at(sealed.data());
  const byte* const tag = at + sealed.size();
  const auto length = static_cast<word32>(sealed.size());
  int status = 0;
  if (key_.cipher == Cipher::aes_gcm)
    status = wc_AesGcmDecrypt(&aes_, at, at, length, number.bytes, sizeof number.bytes, tag, tag_bytes,
                              also.data(), static_cast<word32>(also_bytes));
  else
    status = wc_ChaCha20Poly1305_Decrypt(key_.key.data(), number.bytes, also.data(),
                                         static_cast<word32>(also_bytes), at, length, tag, at);
  if (status != 0) return false;
  key_.sequence++;
  size_t content = sealed.size();
  if (key_.version == Version::tls13) {  // then the type, then zeros
    while (content > 0 && sealed[content - 1] == 0) content--;
    if (content == 0) return false;
    type = static_cast<RecordType>(sealed[--content]);
  }
  body = sealed.first(content);
  return true;
}

}  // namespace breakwater::tls
