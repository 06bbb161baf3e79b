#include "report/hdr_text.h"

#include <zlib.h>

#include <algorithm>
#include <bit>

#include "base/assert.h"
#include "report/base64.h"

namespace breakwater::storm {

namespace {

using Layout = Histogram::Layout;

constexpr uint32_t cookie = 0x1c849313, compressed_cookie = 0x1c849314;
constexpr uint32_t digits = 2;
constexpr size_t header_bytes = 40, compressed_header_bytes = 8;
// Each of 7424 buckets with a count of nine bytes.
constexpr size_t encoded_bytes_max = header_bytes + 9 * Histogram::buckets;

template <typename T>
void put(std::string& out, T value) {
  for (int shift = sizeof(T) * 8 - 8; shift >= 0; shift -= 8)
    out += static_cast<char>(static_cast<uint64_t>(value) >> shift);
}

template <typename T>
T take(std::string_view& in) {
  uint64_t value = 0;
  for (size_t i = 0; i < sizeof(T); ++i) value = value << 8 | static_cast<uint8_t>(in[i]);
  in.remove_prefix(sizeof(T));
  return static_cast<T>(value);
}

// LEB128, of which the ninth byte has eight bits.
void put_number(std::string& out, int64_t number) {
  uint64_t value = static_cast<uint64_t>(number) << 1 ^ static_cast<uint64_t>(number >> 63);
  for (int i = 0; i < 8 && value > 0x7f; ++i, value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}

std::optional<int64_t> take_number(std::string_view& in) {
  uint64_t value = 0;
  for (unsigned i = 0; i < 9; ++i) {
    if (in.empty()) return std::nullopt;
    const auto byte = static_cast<uint8_t>(in[0]);
    in.remove_prefix(1);
    const bool is_last = i == 8 || byte < 0x80;
    value |= static_cast<uint64_t>(i == 8 ? byte : byte & 0x7f) << (7 * i);
    if (is_last) return static_cast<int64_t>(value >> 1 ^ (0 - (value & 1)));
  }
  return std::nullopt;
}

std::string encoded(const std::vector<BucketCount>& counts) {
  std::string payload;
  size_t next = 0;
  for (const BucketCount& each : counts) {
    BW_ASSERT(each.bucket >= next && each.count > 0);
    const auto gap = static_cast<int64_t>(each.bucket - next);
    if (gap > 0) put_number(payload, gap == 1 ? 0 : -gap);
    put_number(payload, static_cast<int64_t>(each.count));
    next = each.bucket + 1;
  }
  const uint64_t highest =
      counts.empty() ? 2 : std::max<uint64_t>(Layout::highest_of(counts.back().bucket), 2);
  std::string out;
  put(out, cookie);
  put(out, static_cast<uint32_t>(payload.size()));
  put(out, uint32_t{0});
  put(out, digits);
  put(out, uint64_t{1});
  put(out, highest);
  put(out, std::bit_cast<uint64_t>(1.0));
  return out + payload;
}

std::optional<std::string> inflated(std::string_view compressed) {
  std::string out(encoded_bytes_max, '\0');
  uLongf bytes = out.size();
  uLong taken = compressed.size();
  const int result = uncompress2(reinterpret_cast<Bytef*>(out.data()), &bytes,
                                 reinterpret_cast<const Bytef*>(compressed.data()), &taken);
  if (result != Z_OK || taken != compressed.size()) return std::nullopt;
  out.resize(bytes);
  return out;
}

bool is_our_header(std::string_view& in) {
  if (in.size() < header_bytes) return false;
  if (take<uint32_t>(in) != cookie) return false;
  const auto payload_bytes = take<uint32_t>(in);
  const auto offset = take<uint32_t>(in);
  const auto its_digits = take<uint32_t>(in);
  const auto lowest = take<uint64_t>(in);
  take<uint64_t>(in);  // the highest value that it has room for
  const auto ratio = std::bit_cast<double>(take<uint64_t>(in));
  return offset == 0 && its_digits == digits && lowest == 1 && ratio == 1.0 && payload_bytes == in.size();
}

std::optional<std::vector<BucketCount>> take_counts(std::string_view in) {
  std::vector<BucketCount> counts;
  size_t next = 0;
  while (!in.empty()) {
    const std::optional<int64_t> number = take_number(in);
    if (!number || *number < -static_cast<int64_t>(Histogram::buckets)) return std::nullopt;
    const size_t step = *number < 0 ? static_cast<size_t>(-*number) : 1;
    if (next + step > Histogram::buckets) return std::nullopt;
    if (*number > 0) counts.push_back({next, static_cast<uint64_t>(*number)});
    next += step;
  }
  return counts;
}

}  // namespace

std::vector<BucketCount> bucket_counts(const Histogram& histogram) {
  std::vector<BucketCount> counts;
  for (size_t bucket = 0; bucket < Histogram::buckets; ++bucket)
    if (histogram.count_of(bucket) > 0) counts.push_back({bucket, histogram.count_of(bucket)});
  return counts;
}

std::vector<BucketCount> bucket_counts(const CompactLatencies& latencies) {
  std::vector<BucketCount> counts;
  for (const CompactLatencies::Entry& each : latencies.entries())
    counts.push_back({Layout::bucket_of(each.highest_us()), each.count});
  return counts;
}

std::string hdr_text(const std::vector<BucketCount>& counts) {
  const std::string plain = encoded(counts);
  std::string compressed(compressBound(plain.size()), '\0');
  uLongf bytes = compressed.size();
  const int result =
      compress2(reinterpret_cast<Bytef*>(compressed.data()), &bytes,
                reinterpret_cast<const Bytef*>(plain.data()), plain.size(), Z_DEFAULT_COMPRESSION);
  BW_ASSERT(result == Z_OK);
  compressed.resize(bytes);
  std::string out;
  put(out, compressed_cookie);
  put(out, static_cast<uint32_t>(compressed.size()));
  return base64(out + compressed);
}

std::optional<std::vector<BucketCount>> read_hdr_text(std::string_view text) {
  if (text.size() > hdr_text_bytes_max) return std::nullopt;
  const std::optional<std::string> bytes = read_base64(text);
  if (!bytes || bytes->size() < compressed_header_bytes) return std::nullopt;
  std::string_view in = *bytes;
  if (take<uint32_t>(in) != compressed_cookie) return std::nullopt;
  const auto compressed_bytes = take<uint32_t>(in);
  if (compressed_bytes != in.size()) return std::nullopt;
  const std::optional<std::string> plain = inflated(in);
  if (!plain) return std::nullopt;
  std::string_view rest = *plain;
  if (!is_our_header(rest)) return std::nullopt;
  return take_counts(rest);
}

}  // namespace breakwater::storm
