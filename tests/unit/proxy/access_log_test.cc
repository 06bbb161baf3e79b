// Every log line is one valid JSON object, whatever a peer sent.
#include "proxy/access_log.h"

#include <doctest/doctest.h>

#include <array>
#include <nlohmann/json.hpp>
#include <string>

#include "base/rng.h"

using breakwater::proxy::AccessRecord;

namespace {

nlohmann::json line_of(const AccessRecord& record) {
  std::array<char, breakwater::proxy::access_line_bytes_max> out;
  const size_t bytes = breakwater::proxy::format_access_line(record, out);
  const std::string line(out.data(), bytes);
  REQUIRE(line.back() == '\n');
  REQUIRE(line.find('\n') == line.size() - 1);
  return nlohmann::json::parse(line);
}

}  // namespace

TEST_CASE("a whole record") {
  AccessRecord record;
  record.time_ns = 1'795'388'675'123'456'789;
  record.method = "POST";
  record.git = "upload-pack";
  record.git_protocol = 2;
  record.repository = "team/app";
  record.status = 200;
  record.bytes_out = 12345678901;
  record.first_byte_ns = 1'234'567;
  record.ended_by = "done";
  const nlohmann::json line = line_of(record);
  CHECK(line["time"] == "2026-11-22T23:04:35.123456Z");
  CHECK(line["git"] == "upload-pack");
  CHECK(line["git_protocol"] == 2);
  CHECK(line["bytes_out"] == 12345678901);
  CHECK(line["first_byte_ms"] == doctest::Approx(1.234));
  CHECK_FALSE(line.contains("reason"));
}

TEST_CASE("dates around leap days") {
  AccessRecord record;
  record.time_ns = 951'782'400'000'000'000;  // 2000-02-29
  CHECK(line_of(record)["time"] == "2000-02-29T00:00:00.000000Z");
  record.time_ns = 1'709'251'199'999'999'000;
  CHECK(line_of(record)["time"] == "2024-02-29T23:59:59.999999Z");
  record.time_ns = 0;
  CHECK(line_of(record)["time"] == "1970-01-01T00:00:00.000000Z");
}

TEST_CASE("hostile bytes in every field at once still make one valid line") {
  for (uint64_t seed = 1; seed <= 300; seed++) {
    breakwater::Rng rng(seed);
    std::string noise(5000, '\0');
    for (char& byte : noise) byte = static_cast<char>(seed % 3 == 0 ? 1 : rng.next());
    AccessRecord record;
    record.request_id = record.client = record.listener = record.method = record.host = record.path = noise;
    record.git = record.repository = record.user_agent = record.pool = record.server = noise;
    record.ended_by = record.phase = record.reason = noise;
    record.bytes_in = record.bytes_out = UINT64_MAX;
    record.total_ns = INT64_MAX;
    CHECK(line_of(record).contains("reason"));
  }
}
