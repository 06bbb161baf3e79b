// A histogram in the form in which HdrHistogram's libraries keep it, in any language: its V2 encoding,
// compressed, in base64 (HdrHistogram, AbstractHistogram.encodeIntoCompressedByteBuffer). Our buckets are its
// buckets at two significant digits, index for index (base/histogram.h). Pure.
//
//   text     = base64(0x1c849314, length, zlib(encoded))
//   encoded  = 0x1c849313, payload's length, offset 0, digits 2, lowest 1, highest, ratio 1.0, counts
//   counts   = a number for each bucket: how often; or, less than zero, for so many buckets with nothing
//
// Numbers of a fixed size are big-endian; counts are LEB128 of at most 9 bytes, zigzag.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/histogram.h"
#include "measure/compact_latencies.h"

namespace breakwater::storm {

struct BucketCount {
  size_t bucket;   // of Histogram::Layout
  uint64_t count;  // not 0
  bool operator==(const BucketCount&) const = default;
};

// In the order of buckets.
std::vector<BucketCount> bucket_counts(const Histogram& histogram);
std::vector<BucketCount> bucket_counts(const CompactLatencies& latencies);

std::string hdr_text(const std::vector<BucketCount>& counts);

// The longest text that is read: all buckets with the largest counts have less.
inline constexpr size_t hdr_text_bytes_max = 128 * 1024;
// nullopt: it is none, or of another layout than ours (two digits, from 1, no offset, no ratio).
std::optional<std::vector<BucketCount>> read_hdr_text(std::string_view text);

}  // namespace breakwater::storm
