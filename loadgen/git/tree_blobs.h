// Ids of files out of the trees at the beginning of a pack (gitformat-pack; git's trees come behind its
// commits): what a checkout after a blobless clone asks for. Pure.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "git/object_id.h"

namespace breakwater::storm {

// Larger trees are passed over, and such that are deltas of others.
inline constexpr size_t tree_bytes_max = 1024 * 1024;

// Distinct, at most `most`, in the order of the trees. `pack` may be cut anywhere, and anything else than a
// pack has none.
std::vector<ObjectId> blobs_of_trees(std::string_view pack, HashKind kind, size_t most);

}  // namespace breakwater::storm
