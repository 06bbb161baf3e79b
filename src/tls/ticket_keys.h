// The keys that session tickets are sealed with: a client that comes back with a ticket goes on without
// certificates and signatures, on any core, and on any node that has the same keys.
//
// A set of keys never changes; to rotate is to make a new set and give it to every core
// (Context::with_tickets). The first key seals, all of them open. Whoever knows a key can read what was sent
// by TLS 1.2 under its tickets, so keys are short-lived and wiped.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace breakwater::tls {

class TicketKeys {
 public:
  static constexpr size_t keys_max = 8;
  static constexpr size_t name_bytes = 16;
  static constexpr size_t key_bytes = 32;  // AES-256-GCM
  static constexpr size_t nonce_bytes = 12;
  static constexpr size_t tag_bytes = 16;

  // One key that nobody else knows. Null if there is no randomness to be had.
  static std::shared_ptr<const TicketKeys> random();
  // From a file that several nodes share: one to eight lines, each the base64 of 48 bytes (`openssl rand
  // -base64 48`), the first seals. Empty lines and lines that begin with # are nothing. Otherwise the reason,
  // with the line's number.
  static std::expected<std::shared_ptr<const TicketKeys>, std::string> from_text(std::string_view text);
  // A new key seals; the newest `kept` of the old ones still open. Null as random().
  std::shared_ptr<const TicketKeys> rotated(size_t kept) const;

  size_t count() const noexcept { return keys_.size(); }

  struct Seal {
    std::span<uint8_t, name_bytes> name;
    std::span<uint8_t, nonce_bytes> nonce;
    std::span<uint8_t, tag_bytes> tag;
  };
  // In place. `nonce` is given, and must be random; name and tag are written.
  bool seal(std::span<uint8_t> ticket, const Seal& seal) const noexcept;
  enum class Opened : uint8_t { no, yes, with_old_key };
  Opened open(std::span<uint8_t> ticket, const Seal& seal) const noexcept;

  TicketKeys(const TicketKeys&) = delete;
  TicketKeys& operator=(const TicketKeys&) = delete;
  ~TicketKeys();

 private:
  struct Key {
    std::array<uint8_t, name_bytes> name;
    std::array<uint8_t, key_bytes> key;
  };
  TicketKeys() { keys_.reserve(keys_max); }  // so that no key is left behind when more come
  bool add_random();
  std::vector<Key> keys_;
};

}  // namespace breakwater::tls
