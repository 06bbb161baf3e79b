// The pack of a push, taken apart: entries inflated, deltas resolved, objects named (gitformat-pack(5)).
// Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "git/object.h"

namespace breakwater::storm::origin {

// All objects of one pack together, unpacked: what a few bytes that inflate well can't get past.
inline constexpr uint64_t unpacked_bytes_max = 256 * 1024 * 1024;
inline constexpr uint32_t received_objects_max = 1'000'000;

// An object that a delta may stand on without being in the pack (a thin pack); nullopt: it is not here.
using BaseObject = std::function<std::optional<Object>(const ObjectId&)>;

// `pack` from its header to its hash, which is checked. A few words if it is none.
std::expected<std::vector<Object>, std::string> read_received_pack(std::string_view pack,
                                                                   const BaseObject& base);

}  // namespace breakwater::storm::origin
