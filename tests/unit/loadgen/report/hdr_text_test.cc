// HdrHistogram's encoding: what is written is read back, and nothing else is.
#include <doctest/doctest.h>
#include <zlib.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/rng.h"
#include "report/base64.h"
#include "report/hdr_text.h"
#include "report/hgrm.h"

using namespace breakwater;
using namespace breakwater::storm;

namespace {

// As HdrHistogram 2.1.11 for Java wrote it, of a Histogram(1, 3600000000, 2) with 1, 200, 300 twice and
// 1000000.
constexpr std::string_view of_java = "HISTFAAAACl4nJNpmSzMwMDAzQABTFCaEURcm7yEwf4DTKabmWkmI8tOcSYAj4oGkw==";

std::string wrapped(const std::string& plain) {
  std::string compressed(compressBound(plain.size()), '\0');
  uLongf bytes = compressed.size();
  compress(reinterpret_cast<Bytef*>(compressed.data()), &bytes, reinterpret_cast<const Bytef*>(plain.data()),
           plain.size());
  compressed.resize(bytes);
  std::string head("\x1c\x84\x93\x14\0\0\0\0", 8);
  head[6] = static_cast<char>(bytes >> 8);
  head[7] = static_cast<char>(bytes);
  return base64(head + compressed);
}

std::string plain_of(std::string_view text) {
  const std::string bytes = read_base64(text).value();
  std::string plain(100'000, '\0');
  uLongf size = plain.size();
  uncompress(reinterpret_cast<Bytef*>(plain.data()), &size, reinterpret_cast<const Bytef*>(bytes.data() + 8),
             bytes.size() - 8);
  plain.resize(size);
  return plain;
}

}  // namespace

TEST_CASE("base64: as RFC 4648 has it") {
  const std::pair<std::string_view, std::string_view> vectors[] = {{"", ""},
                                                                   {"f", "Zg=="},
                                                                   {"fo", "Zm8="},
                                                                   {"foo", "Zm9v"},
                                                                   {"foob", "Zm9vYg=="},
                                                                   {"fooba", "Zm9vYmE="},
                                                                   {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, text] : vectors) {
    CHECK(base64(plain) == text);
    CHECK(read_base64(text) == std::string(plain));
  }
  for (const std::string_view wrong :
       {"Z", "Zg=", "Zg", "Zh==", "Zm9=", "Z===", "====", "Zm9v\n", "Zm=v", "Zm-v"})
    CHECK_FALSE(read_base64(wrong).has_value());
}

TEST_CASE("hdr text: any histogram comes back as it was") {
  Rng rng(7);
  for (int round = 0; round < 200; ++round) {
    Histogram histogram;
    const uint64_t values = rng.next() % 50;
    for (uint64_t i = 0; i < values; ++i)
      histogram.record(rng.next() >> (rng.next() % 64), 1 + rng.next() % 300);
    const std::vector<BucketCount> counts = bucket_counts(histogram);
    CHECK(read_hdr_text(hdr_text(counts)) == counts);
  }
}

TEST_CASE("hdr text: latencies of a second keep their buckets") {
  Rng rng(8);
  CompactLatencies latencies, read;
  for (int i = 0; i < 1000; ++i) latencies.record_us(rng.next() % 5'000'000'000, 1);
  const std::vector<BucketCount> counts = read_hdr_text(hdr_text(bucket_counts(latencies))).value();
  for (const BucketCount& each : counts)
    read.record_us(Histogram::Layout::highest_of(each.bucket), static_cast<uint32_t>(each.count));
  CHECK(std::ranges::equal(read.entries(), latencies.entries()));
}

TEST_CASE("hdr text: what another library wrote is read") {
  Histogram histogram;
  for (const uint64_t value : {1, 200, 300, 300, 1'000'000}) histogram.record(value);
  CHECK(read_hdr_text(of_java) == bucket_counts(histogram));
}

TEST_CASE("hdr text: counts of every length") {
  for (unsigned bits = 0; bits < 63; ++bits) {
    const std::vector<BucketCount> counts = {{3, uint64_t{1} << bits}, {Histogram::buckets - 1, 1}};
    CHECK(read_hdr_text(hdr_text(counts)) == counts);
  }
}

TEST_CASE("hdr text: what is not whole, or of another layout, is refused") {
  const std::vector<BucketCount> counts = {{3, 5}, {100, 77}};
  const std::string plain = plain_of(hdr_text(counts));
  REQUIRE(read_hdr_text(wrapped(plain)) == counts);
  const auto with = [&](size_t at, char byte) {
    std::string changed = plain;
    changed[at] = byte;
    return read_hdr_text(wrapped(changed)).has_value();
  };
  CHECK_FALSE(with(3, 0x23));  // another version
  CHECK_FALSE(with(7, 99));    // a payload of another length
  CHECK_FALSE(with(11, 1));    // an offset
  CHECK_FALSE(with(15, 3));    // three digits
  CHECK_FALSE(with(23, 2));    // from 2
  CHECK_FALSE(with(39, 1));    // a ratio
  CHECK(with(31, 9));          // room for less, which nothing depends on
  std::string cut = plain;
  cut.back() = static_cast<char>(0x80);  // a number that goes on
  CHECK_FALSE(read_hdr_text(wrapped(cut)).has_value());
  std::string long_gap = plain.substr(0, 40) + "\xff\xff\xff\x7f";
  long_gap[7] = 4;
  CHECK_FALSE(read_hdr_text(wrapped(long_gap)).has_value());
  const std::string text = hdr_text(counts);
  CHECK_FALSE(read_hdr_text(text.substr(4)).has_value());
  CHECK_FALSE(read_hdr_text(text.substr(0, text.size() - 4)).has_value());
  CHECK_FALSE(read_hdr_text("").has_value());
  // More than there can be: a bomb.
  CHECK_FALSE(read_hdr_text(wrapped(plain + std::string(10'000'000, '\0'))).has_value());
}

TEST_CASE("hgrm: a percentile distribution as HdrHistogram writes it") {
  Latencies latencies;
  for (int i = 1; i <= 100; ++i) latencies.record_ns(i * 1'000'000);
  const std::string text = percentile_distribution(latencies);
  CHECK(text.starts_with("       Value     Percentile TotalCount 1/(1-Percentile)\n\n"));
  CHECK(text.find("\n      50.175 0.500000000000         50           2.00\n") != std::string::npos);
  CHECK(text.find("\n     100.000 1.000000000000        100\n") != std::string::npos);
  CHECK(text.find("#[Max     =      100.000, Total count    =          100]\n") != std::string::npos);
  CHECK(percentile_distribution({}).find("Total count    =            0]") != std::string::npos);
}
