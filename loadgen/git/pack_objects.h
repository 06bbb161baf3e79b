// Single objects out of the beginning of a pack (gitformat-pack).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "git/object.h"
#include "git/object_id.h"

namespace breakwater::storm {

struct PackedObject {
  size_t bytes = 0;     // in the pack; 0: it is not there whole, or is none
  uint8_t type = 0;     // as the pack has it: an ObjectType, or 6 or 7 of a delta
  std::string content;  // if its type is one of those that were wanted, and it is not too large
  bool has_content = false;
  bool is_too_large = false;  // of a type that was wanted

  bool is_delta() const noexcept { return type == 6 || type == 7; }
};

// The one that `pack` begins with. By one inflater for each thread.
PackedObject read_packed_object(std::string_view pack, HashKind kind, std::span<const ObjectType> wanted,
                                size_t content_bytes_max);

}  // namespace breakwater::storm
