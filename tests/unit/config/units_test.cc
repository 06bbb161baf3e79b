// Durations and sizes: every unit, every bound, every wrong spelling.
#include "config/units.h"

#include <doctest/doctest.h>

using namespace breakwater::config;

TEST_CASE("units: durations are a whole number and a unit") {
  CHECK(parse_duration("500ms") == Duration{500});
  CHECK(parse_duration("30s") == Duration{30'000});
  CHECK(parse_duration("10m") == Duration{600'000});
  CHECK(parse_duration("1h") == Duration{3'600'000});
  CHECK(parse_duration("0s") == Duration{0});
  for (const char* text : {"", "30", "s", "-1s", "+1s", "1.5h", "1h30m", " 1s", "1 s", "1s ", "1S", "1d",
                           "1sec", "99999999999999999999s", "9223372036854775807s", "off"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_duration(text).has_value());
  }
  CHECK(parse_duration("9223372036854775807ms") == Duration{INT64_MAX});
  CHECK_FALSE(parse_duration("9223372036854775808ms").has_value());
}

TEST_CASE("units: sizes are a whole number and a binary unit, or bytes") {
  CHECK(parse_size("4096") == 4096u);
  CHECK(parse_size("16KiB") == 16'384u);
  CHECK(parse_size("1MiB") == 1'048'576u);
  CHECK(parse_size("1GiB") == 1'073'741'824u);
  CHECK(parse_size("18446744073709551615") == UINT64_MAX);
  for (const char* text : {"", "KiB", "16KB", "16kib", "16K", "16B", "-1", "1.5MiB", "1 MiB",
                           "18446744073709551616", "17179869184GiB"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_size(text).has_value());
  }
}

TEST_CASE("units: what is printed is read back as the same value") {
  CHECK(format_duration(Duration{600'000}) == "10m");
  CHECK(format_duration(Duration{90'000}) == "90s");
  CHECK(format_duration(Duration{1'500}) == "1500ms");
  CHECK(format_duration(Duration{0}) == "0s");
  CHECK(format_size(16'384) == "16KiB");
  CHECK(format_size(5'000) == "5000");
  CHECK(format_size(0) == "0");
  for (const int64_t value : {0ll, 1ll, 59'999ll, 60'000ll, 3'600'000ll, 86'400'000ll, 1'234'567ll}) {
    CHECK(parse_duration(format_duration(Duration{value})) == Duration{value});
    CHECK(parse_size(format_size(static_cast<uint64_t>(value))) == static_cast<uint64_t>(value));
  }
}
