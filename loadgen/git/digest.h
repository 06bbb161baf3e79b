// SHA-1 or SHA-256 of bytes that come piece by piece: names of objects, and the hash at the end of a pack.
// By nettle, which uses the CPU's own instructions.
#pragma once

#include <nettle/sha1.h>
#include <nettle/sha2.h>

#include <string_view>

#include "git/object_id.h"

namespace breakwater::storm {

class Digest {
 public:
  explicit Digest(HashKind kind = HashKind::sha1) noexcept { start(kind); }
  void start(HashKind kind) noexcept;
  void add(std::string_view bytes) noexcept;
  // What was added since start(). Then start() again.
  ObjectId finish() noexcept;

 private:
  HashKind kind_ = HashKind::sha1;
  union {
    sha1_ctx sha1_;
    sha256_ctx sha256_;
  };
};

// Of an object: `type` is "commit", "tree", "blob" or "tag".
ObjectId id_of(std::string_view type, std::string_view content, HashKind kind = HashKind::sha1);

}  // namespace breakwater::storm
