// Packs of a few objects, made by hand for tests (gitformat-pack): any objects, in any order, deltas too,
// with a trailing hash that is right, so that what is wrong with them is what the test wants to be.
#pragma once

#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

#include "git/digest.h"

namespace breakwater::storm::by_hand {

enum class PackType : uint8_t { commit = 1, tree = 2, blob = 3, tag = 4, offset_delta = 6, named_delta = 7 };

inline std::string big_endian(uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift);
  return bytes;
}

// Of a delta `base` is what stands in front of it: an offset, or a name's bytes.
inline std::string packed(PackType type, std::string_view content, std::string_view base = "") {
  std::string bytes;
  size_t left = content.size() >> 4;
  uint8_t byte = static_cast<uint8_t>(static_cast<uint8_t>(type) << 4 | (content.size() & 15));
  for (; left > 0; left >>= 7) {
    bytes += static_cast<char>(byte | 0x80);
    byte = left & 0x7f;
  }
  bytes += static_cast<char>(byte);
  bytes += base;
  uLongf size = compressBound(content.size());
  std::string stream(size, '\0');
  compress2(reinterpret_cast<Bytef*>(stream.data()), &size, reinterpret_cast<const Bytef*>(content.data()),
            content.size(), 6);
  return bytes + stream.substr(0, size);
}

// With its trailing hash. `count` is what the header says.
inline std::string pack_of(uint32_t count, std::string_view objects, HashKind kind = HashKind::sha1,
                           uint32_t version = 2) {
  std::string pack = "PACK" + big_endian(version) + big_endian(count);
  pack += objects;
  Digest digest(kind);
  digest.add(pack);
  const ObjectId hash = digest.finish();
  pack.append(reinterpret_cast<const char*>(hash.raw.data()), hash.size());
  return pack;
}

inline std::string pkt_line(std::string_view payload) {
  char length[5];
  std::snprintf(length, sizeof length, "%04zx", payload.size() + 4);
  return length + std::string(payload);
}

// The answer to a v2 fetch with this pack in lines of so many bytes.
inline std::string v2_answer(std::string_view pack, size_t line_bytes) {
  std::string answer = pkt_line("packfile\n");
  for (; !pack.empty(); pack.remove_prefix(std::min(pack.size(), line_bytes)))
    answer += pkt_line('\1' + std::string(pack.substr(0, line_bytes)));
  return answer + "0000";
}

// Bytes that do not compress, the same for the same seed.
inline std::string noise(size_t bytes, uint64_t seed) {
  std::string all;
  while (all.size() < bytes) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    all += static_cast<char>(seed >> 56);
  }
  return all;
}

}  // namespace breakwater::storm::by_hand
