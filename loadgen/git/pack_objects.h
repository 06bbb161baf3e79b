// Single objects out of the beginning of a pack (gitformat-pack).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "git/object_id.h"

namespace breakwater::storm {

struct PackedObject {
  size_t bytes = 0;       // in the pack; 0: it is not there whole, or is none
  bool is_delta = false;  // of another object
  ObjectId id;            // of a commit or a tag that is whole in itself; of others zero
};

// The one that `pack` begins with. A commit or tag of more than `content_bytes_max` has no id here. By one
// inflater for each thread.
PackedObject read_packed_object(std::string_view pack, HashKind kind, size_t content_bytes_max);

}  // namespace breakwater::storm
