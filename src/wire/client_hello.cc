#include "wire/client_hello.h"

#include <cstring>
#include <span>

#include "wire/byte_class.h"

namespace breakwater::wire {
namespace {

constexpr size_t record_head_bytes = 5;
constexpr size_t message_head_bytes = 4;
constexpr size_t record_bytes_max = 16 * 1024;
constexpr uint8_t handshake_record = 22;
constexpr uint8_t client_hello_message = 1;
constexpr uint16_t tls12 = 0x0303;
constexpr uint16_t tls13 = 0x0304;

// Extensions (RFC 6066, 7301, 8446) that are read; all others are the library's.
enum Extension : uint16_t {
  server_name = 0,
  signature_algorithms = 13,
  protocols = 16,
  supported_versions = 43
};

// Takes numbers and lists off the front; once something was too short everything is empty, and short() true.
class Taker {
 public:
  explicit Taker(std::span<const uint8_t> bytes) noexcept : bytes_(bytes) {}
  bool empty() const noexcept { return bytes_.empty(); }
  bool short_of() const noexcept { return short_; }

  std::span<const uint8_t> take(size_t count) noexcept {
    if (count > bytes_.size()) {
      short_ = true;
      count = 0;
      bytes_ = {};
    }
    const std::span<const uint8_t> taken = bytes_.first(count);
    bytes_ = bytes_.subspan(count);
    return taken;
  }
  uint8_t byte() noexcept {
    const std::span<const uint8_t> taken = take(1);
    return taken.empty() ? 0 : taken[0];
  }
  uint16_t two() noexcept {
    const std::span<const uint8_t> taken = take(2);
    return taken.empty() ? 0 : static_cast<uint16_t>(taken[0] << 8 | taken[1]);
  }
  // What stands behind its own length, of one or of two bytes.
  std::span<const uint8_t> after_byte() noexcept { return take(byte()); }
  std::span<const uint8_t> after_two() noexcept { return take(two()); }

 private:
  std::span<const uint8_t> bytes_;
  bool short_ = false;
};

// The records from the front, as far as they are there: how many bytes of the message, and of what.
struct Framing {
  std::array<uint8_t, message_head_bytes> head{};
  size_t message_bytes = 0;  // that are there
  size_t records = 0;
  HelloFault fault = HelloFault::none;
  bool cut = false;  // the last record, or its head, is not there whole
};

HelloFault fault_of_first_byte(uint8_t first) noexcept {
  if (first == handshake_record) return HelloFault::none;
  return first >= 'A' && first <= 'Z' ? HelloFault::plain_http : HelloFault::not_tls;
}

// Calls `each` with the payload of each record, the last one perhaps in part.
template <typename Each>
Framing walk(std::span<const uint8_t> received, Each each) noexcept {
  Framing framing;
  while (!received.empty()) {
    framing.fault = fault_of_first_byte(received[0]);
    if (framing.fault != HelloFault::none) {
      if (framing.records > 0) framing.fault = HelloFault::malformed;
      return framing;
    }
    if (++framing.records > ClientHello::records_max) {
      framing.fault = HelloFault::too_large;
      return framing;
    }
    if (received.size() >= 2 && received[1] != 3) framing.fault = HelloFault::not_tls;
    if (framing.fault != HelloFault::none || received.size() < record_head_bytes) {
      framing.cut = true;
      return framing;
    }
    const size_t length = static_cast<size_t>(received[3] << 8 | received[4]);
    if (length == 0 || length > record_bytes_max) {
      framing.fault = HelloFault::malformed;
      return framing;
    }
    received = received.subspan(record_head_bytes);
    const std::span<const uint8_t> payload =
        received.first(length < received.size() ? length : received.size());
    each(framing, payload);
    framing.message_bytes += payload.size();
    framing.cut = payload.size() < length;
    received = received.subspan(payload.size());
    if (framing.cut) return framing;
  }
  return framing;
}

void keep_head(Framing& framing, std::span<const uint8_t> payload) noexcept {
  for (size_t at = 0; at < payload.size() && framing.message_bytes + at < message_head_bytes; at++)
    framing.head[framing.message_bytes + at] = payload[at];
}

bool may_be_in_name(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

// RFC 6066 §3: one name of type 0.
bool read_name(std::span<const uint8_t> value, ClientHello& hello) noexcept {
  Taker extension(value);
  Taker list(extension.after_two());
  const uint8_t type = list.byte();
  std::span<const uint8_t> name = list.after_two();
  if (extension.short_of() || list.short_of() || !extension.empty() || !list.empty() || type != 0)
    return false;
  if (!name.empty() && name.back() == '.') name = name.first(name.size() - 1);
  if (name.empty() || name.size() > hello.name_text.size()) return false;
  for (size_t at = 0; at < name.size(); at++) {
    const char c = to_lower(static_cast<char>(name[at]));
    if (!may_be_in_name(c)) return false;
    hello.name_text[at] = c;
  }
  hello.name_bytes = static_cast<uint8_t>(name.size());
  return true;
}

bool read_versions(std::span<const uint8_t> value, ClientHello& hello) noexcept {
  Taker extension(value);
  Taker list(extension.after_byte());
  if (extension.short_of() || !extension.empty() || list.empty()) return false;
  hello.offers_tls12 = false;  // the old place no longer counts
  hello.newest_version = 0;
  while (!list.empty()) {
    const uint16_t version = list.two();
    if (version == tls12) hello.offers_tls12 = true;
    if (version == tls13) hello.offers_tls13 = true;
    // Made-up ones (RFC 8701) are much larger.
    if (version <= tls13 && version > hello.newest_version) hello.newest_version = version;
  }
  return !list.short_of();
}

struct Signatures {
  bool named = false, p256 = false, p384 = false, rsa = false;
};

bool read_signatures(std::span<const uint8_t> value, Signatures& signatures) noexcept {
  Taker extension(value);
  Taker list(extension.after_two());
  if (extension.short_of() || !extension.empty() || list.empty()) return false;
  signatures.named = true;
  while (!list.empty()) {
    const uint16_t scheme = list.two();
    if (scheme == 0x0403) signatures.p256 = true;
    if (scheme == 0x0503) signatures.p384 = true;
    // PSS with the key's own OID for "RSA" (RFC 8446 §4.2.3), and PKCS #1, which TLS 1.2 may use.
    if ((scheme >= 0x0804 && scheme <= 0x0806) || scheme == 0x0401 || scheme == 0x0501 || scheme == 0x0601)
      signatures.rsa = true;
  }
  return !list.short_of();
}

bool read_protocols(std::span<const uint8_t> value, ClientHello& hello) noexcept {
  constexpr std::string_view http11 = "http/1.1";
  Taker extension(value);
  Taker list(extension.after_two());
  if (extension.short_of() || !extension.empty() || list.empty()) return false;
  hello.names_protocols = true;
  while (!list.empty()) {
    const std::span<const uint8_t> protocol = list.after_byte();
    if (protocol.empty()) return false;
    if (protocol.size() == http11.size() && std::memcmp(protocol.data(), http11.data(), http11.size()) == 0)
      hello.names_http11 = true;
  }
  return !list.short_of();
}

struct Suites {
  bool tls13 = false, ecdsa = false, rsa = false;
};

bool read_suites(std::span<const uint8_t> bytes, Suites& suites) noexcept {
  Taker list(bytes);
  if (list.empty()) return false;
  while (!list.empty()) {
    const uint16_t suite = list.two();
    if (suite >= 0x1301 && suite <= 0x1303) suites.tls13 = true;
    // ECDHE with AES-128-GCM, AES-256-GCM and ChaCha20-Poly1305: the ones of TLS 1.2 that we have.
    if (suite == 0xC02B || suite == 0xC02C || suite == 0xCCA9) suites.ecdsa = true;
    if (suite == 0xC02F || suite == 0xC030 || suite == 0xCCA8) suites.rsa = true;
  }
  return !list.short_of();
}

bool read_extensions(Taker& message, ClientHello& hello, Signatures& signatures) noexcept {
  Taker extensions(message.after_two());
  if (message.short_of() || !message.empty()) return false;
  uint32_t seen = 0;
  while (!extensions.empty()) {
    const uint16_t type = extensions.two();
    const std::span<const uint8_t> value = extensions.after_two();
    if (extensions.short_of()) return false;
    if (type != server_name && type != signature_algorithms && type != protocols &&
        type != supported_versions)
      continue;
    // Twice (RFC 8446 §4.2) would be read by the library as it likes.
    const uint32_t bit = 1U << (type % 32);  // 0, 13, 16, 11
    if ((seen & bit) != 0) return false;
    seen |= bit;
    bool good = true;
    if (type == server_name) good = read_name(value, hello);
    if (type == signature_algorithms) good = read_signatures(value, signatures);
    if (type == protocols) good = read_protocols(value, hello);
    if (type == supported_versions) good = read_versions(value, hello);
    if (!good) return false;
  }
  return !extensions.short_of();
}

// RFC 8446 §4.1.2, RFC 5246 §7.4.1.2.
bool read_message(std::span<const uint8_t> bytes, ClientHello& hello) noexcept {
  Taker message(bytes);
  hello.newest_version = message.two();
  hello.offers_tls12 = hello.newest_version >= tls12;
  message.take(32);  // random
  if (message.after_byte().size() > 32) return false;
  Suites suites;
  if (!read_suites(message.after_two(), suites)) return false;
  Taker compressions(message.after_byte());
  bool uncompressed = false;
  while (!compressions.empty()) uncompressed |= compressions.byte() == 0;
  if (message.short_of() || !uncompressed) return false;
  Signatures signatures;
  if (!message.empty() && !read_extensions(message, hello, signatures)) return false;
  hello.takes_p256 = signatures.p256 && (suites.tls13 || suites.ecdsa);
  hello.takes_p384 = signatures.p384 && (suites.tls13 || suites.ecdsa);
  // Who names no signatures means SHA-1 (RFC 5246 §7.4.1.4.1), which is refused later.
  hello.takes_rsa = (signatures.rsa || !signatures.named) && (suites.tls13 || suites.rsa);
  return true;
}

}  // namespace

std::string_view explain(HelloFault fault) noexcept {
  switch (fault) {
    case HelloFault::none:
      return "nothing is wrong";
    case HelloFault::plain_http:
      return "plain HTTP where TLS is spoken";
    case HelloFault::not_tls:
      return "not TLS";
    case HelloFault::malformed:
      return "a malformed client hello";
    case HelloFault::too_large:
      return "a client hello that is too large, or cut into too many records";
  }
  return "?";
}

HelloState read_client_hello(std::string_view text, ClientHello& hello, HelloFault& fault) noexcept {
  const std::span<const uint8_t> received(reinterpret_cast<const uint8_t*>(text.data()), text.size());
  fault = HelloFault::none;
  const Framing framing = walk(received, keep_head);
  const auto broken = [&fault](HelloFault why) {
    fault = why;
    return HelloState::broken;
  };
  // The message may be whole before a fault in what follows it; but nothing may follow it before our answer.
  if (framing.fault != HelloFault::none) return broken(framing.fault);
  if (framing.message_bytes == 0) return HelloState::partial;
  if (framing.head[0] != client_hello_message) return broken(HelloFault::malformed);
  if (framing.message_bytes < message_head_bytes) return HelloState::partial;
  const size_t length = static_cast<size_t>(framing.head[1] << 16 | framing.head[2] << 8 | framing.head[3]);
  if (length + message_head_bytes > ClientHello::message_bytes_max) return broken(HelloFault::too_large);
  if (framing.message_bytes < length + message_head_bytes)
    return received.size() < ClientHello::bytes_max ? HelloState::partial : broken(HelloFault::too_large);
  if (framing.message_bytes > length + message_head_bytes || framing.cut)
    return broken(HelloFault::malformed);

  hello = {};
  // Most hellos lie in one record, whole.
  if (framing.records == 1)
    return read_message(received.subspan(record_head_bytes + message_head_bytes, length), hello)
               ? HelloState::whole
               : broken(HelloFault::malformed);
  std::array<uint8_t, ClientHello::message_bytes_max> message;
  walk(received, [&message](const Framing& so_far, std::span<const uint8_t> payload) {
    std::memcpy(message.data() + so_far.message_bytes, payload.data(), payload.size());
  });
  return read_message(std::span<const uint8_t>(message).subspan(message_head_bytes, length), hello)
             ? HelloState::whole
             : broken(HelloFault::malformed);
}

}  // namespace breakwater::wire
