#include "tls/ticket_keys.h"

#include <algorithm>
#include <cstring>

#include "tls/library.h"
#include "tls/wolfssl.h"

namespace breakwater::tls {
namespace {

// Sealed with each ticket, so that nothing else that these keys may ever seal is taken for one.
constexpr std::array<uint8_t, 8> bound = {'t', 'i', 'c', 'k', 'e', 't', ' ', '1'};
constexpr size_t line_bytes = TicketKeys::name_bytes + TicketKeys::key_bytes;

bool fill_random(std::span<uint8_t> bytes) noexcept {
  start_library();
  WC_RNG source;
  if (wc_InitRng(&source) != 0) return false;
  const int made = wc_RNG_GenerateBlock(&source, bytes.data(), static_cast<word32>(bytes.size()));
  wc_FreeRng(&source);
  return made == 0;
}

std::string_view trimmed(std::string_view line) {
  while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
  while (!line.empty() && line.front() == ' ') line.remove_prefix(1);
  return line;
}

// AES-256-GCM with the key set up for one use, and wiped.
class OneUse {
 public:
  explicit OneUse(std::span<const uint8_t, TicketKeys::key_bytes> key) noexcept {
    made_ = wc_AesInit(&aes_, nullptr, INVALID_DEVID) == 0;
    usable_ = made_ && wc_AesGcmSetKey(&aes_, key.data(), static_cast<word32>(key.size())) == 0;
  }
  ~OneUse() {
    if (made_) wc_AesFree(&aes_);
    explicit_bzero(&aes_, sizeof aes_);
  }
  OneUse(const OneUse&) = delete;
  OneUse& operator=(const OneUse&) = delete;

  bool seal(std::span<uint8_t> bytes, const TicketKeys::Seal& seal) noexcept {
    return usable_ && wc_AesGcmEncrypt(&aes_, bytes.data(), bytes.data(), length(bytes), seal.nonce.data(),
                                       length(seal.nonce), seal.tag.data(), length(seal.tag), bound.data(),
                                       bound.size()) == 0;
  }
  bool open(std::span<uint8_t> bytes, const TicketKeys::Seal& seal) noexcept {
    return usable_ && wc_AesGcmDecrypt(&aes_, bytes.data(), bytes.data(), length(bytes), seal.nonce.data(),
                                       length(seal.nonce), seal.tag.data(), length(seal.tag), bound.data(),
                                       bound.size()) == 0;
  }

 private:
  static word32 length(std::span<const uint8_t> bytes) noexcept { return static_cast<word32>(bytes.size()); }
  Aes aes_{};
  bool made_ = false;
  bool usable_ = false;
};

}  // namespace

TicketKeys::~TicketKeys() {
  if (!keys_.empty()) explicit_bzero(keys_.data(), keys_.size() * sizeof(Key));
}

bool TicketKeys::add_random() {
  Key& key = keys_.emplace_back();
  return fill_random(key.name) && fill_random(key.key);
}

std::shared_ptr<const TicketKeys> TicketKeys::random() {
  std::shared_ptr<TicketKeys> keys(new TicketKeys);
  return keys->add_random() ? keys : nullptr;
}

std::shared_ptr<const TicketKeys> TicketKeys::rotated(size_t kept) const {
  std::shared_ptr<TicketKeys> keys(new TicketKeys);
  if (!keys->add_random()) return nullptr;
  for (size_t at = 0; at < std::min({kept, keys_.size(), keys_max - 1}); at++)
    keys->keys_.push_back(keys_[at]);
  return keys;
}

std::expected<std::shared_ptr<const TicketKeys>, std::string> TicketKeys::from_text(std::string_view text) {
  std::shared_ptr<TicketKeys> keys(new TicketKeys);
  for (size_t number = 1; !text.empty(); number++) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line.front() == '#') continue;
    const auto wrong = [number](std::string_view what) {
      return std::unexpected("line " + std::to_string(number) + ": " + std::string(what));
    };
    if (keys->keys_.size() == keys_max) return wrong("more than 8 keys");
    std::array<uint8_t, line_bytes> bytes{};
    word32 length = bytes.size();
    const int decoded =
        Base64_Decode(bytes_of(line), static_cast<word32>(line.size()), bytes.data(), &length);
    if (decoded != 0 || length != line_bytes)
      return wrong("not the base64 of 48 bytes (openssl rand -base64 48)");
    Key& key = keys->keys_.emplace_back();
    std::memcpy(key.name.data(), bytes.data(), name_bytes);
    std::memcpy(key.key.data(), bytes.data() + name_bytes, key_bytes);
    explicit_bzero(bytes.data(), bytes.size());
    for (size_t at = 0; at + 1 < keys->keys_.size(); at++)
      if (keys->keys_[at].name == key.name)
        return wrong("the same key, or its first 16 bytes, for the second time");
  }
  if (keys->keys_.empty()) return std::unexpected("it has no key");
  return keys;
}

bool TicketKeys::seal(std::span<uint8_t> ticket, const Seal& seal) const noexcept {
  const Key& key = keys_.front();
  std::memcpy(seal.name.data(), key.name.data(), name_bytes);
  return OneUse(key.key).seal(ticket, seal);
}

TicketKeys::Opened TicketKeys::open(std::span<uint8_t> ticket, const Seal& seal) const noexcept {
  for (const Key& key : keys_) {
    if (std::memcmp(seal.name.data(), key.name.data(), name_bytes) != 0) continue;
    if (!OneUse(key.key).open(ticket, seal)) return Opened::no;
    return &key == &keys_.front() ? Opened::yes : Opened::with_old_key;
  }
  return Opened::no;
}

}  // namespace breakwater::tls
