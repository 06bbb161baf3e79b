#include "git/digest.h"

namespace breakwater::storm {

namespace {

const uint8_t* bytes_of(std::string_view text) noexcept {
  return reinterpret_cast<const uint8_t*>(text.data());
}

}  // namespace

void Digest::start(HashKind kind) noexcept {
  kind_ = kind;
  if (kind == HashKind::sha1)
    sha1_init(&sha1_);
  else
    sha256_init(&sha256_);
}

void Digest::add(std::string_view bytes) noexcept {
  if (kind_ == HashKind::sha1)
    sha1_update(&sha1_, bytes.size(), bytes_of(bytes));
  else
    sha256_update(&sha256_, bytes.size(), bytes_of(bytes));
}

ObjectId Digest::finish() noexcept {
  ObjectId id;
  id.kind = kind_;
  if (kind_ == HashKind::sha1)
    sha1_digest(&sha1_, id.size(), id.raw.data());
  else
    sha256_digest(&sha256_, id.size(), id.raw.data());
  return id;
}

ObjectId id_of(std::string_view type, std::string_view content, HashKind kind) {
  Digest digest(kind);
  std::string head(type);
  head += ' ';
  head += std::to_string(content.size());
  head += '\0';
  digest.add(head);
  digest.add(content);
  return digest.finish();
}

}  // namespace breakwater::storm
