// Histograms in HdrHistogram's encoding, as reports carry them: the text as it is, and behind a byte 'z' what
// is inside of the compression, which no change of single bytes would ever reach. What is read comes back.
#include <zlib.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "report/base64.h"
#include "report/hdr_text.h"

using namespace breakwater::storm;

namespace {

std::string wrapped(std::string_view plain) {
  std::string compressed(compressBound(plain.size()), '\0');
  uLongf bytes = compressed.size();
  compress(reinterpret_cast<Bytef*>(compressed.data()), &bytes, reinterpret_cast<const Bytef*>(plain.data()),
           plain.size());
  compressed.resize(bytes);
  std::string head("\x1c\x84\x93\x14", 4);
  for (int shift = 24; shift >= 0; shift -= 8) head += static_cast<char>(bytes >> shift);
  return base64(head + compressed);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::string text = input.starts_with('z') ? wrapped(input.substr(1)) : std::string(input);
  const auto counts = read_hdr_text(text);
  if (!counts) return 0;
  size_t next = 0;
  for (const BucketCount& each : *counts) {
    BW_ASSERT(each.bucket >= next && each.bucket < breakwater::Histogram::buckets && each.count > 0);
    next = each.bucket + 1;
  }
  BW_ASSERT(read_hdr_text(hdr_text(*counts)) == counts);
  return 0;
}
