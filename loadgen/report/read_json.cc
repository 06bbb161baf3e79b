#include "report/read_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "report/hdr_text.h"
#include "report/json.h"

namespace breakwater::storm {

namespace {

using Json = nlohmann::ordered_json;  // operations stay in their order

// Every figure of a report is less than that; sums of such figures stay within 64 bits.
constexpr uint64_t number_max = uint64_t{1} << 53;
constexpr size_t text_bytes_max = 64 * 1024;
constexpr size_t doubts_max = 100;
constexpr size_t keys_max = 2000;  // of one object; finding one is a look at each

// Thrown to the end of this file and no further: the first thing that is wrong.
struct Wrong {
  std::string sentence;
};

[[noreturn]] void fail(std::string sentence) {
  throw Wrong{std::move(sentence)};
}

bool has_control_bytes(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return (c >= 0 && c < ' ') || c == 0x7f; });
}

// One value of a report, and what it is called in complaints.
class Field {
 public:
  Field(const Json& json, std::string name) : json_(json), name_(std::move(name)) {}

  Field at(std::string_view key) const {
    if (!json_.is_object()) fail((name_.empty() ? "it" : name_) + " is no object");
    const auto found = json_.find(key);
    if (found == json_.end()) fail(called(key) + " is missing");
    return {*found, called(key)};
  }
  bool has(std::string_view key) const { return json_.is_object() && json_.contains(key); }

  uint64_t number(uint64_t max = number_max) const {
    if (!json_.is_number_unsigned() || json_.get<uint64_t>() > max)
      fail(fmt::format("{} is no whole number from 0 to {}", name_, max));
    return json_.get<uint64_t>();
  }
  uint32_t small_number() const { return static_cast<uint32_t>(number(UINT32_MAX)); }
  double real() const {
    if (!json_.is_number() || json_.get<double>() < 0 ||
        json_.get<double>() > static_cast<double>(number_max))
      fail(name_ + " is no number from 0 up");
    return json_.get<double>();
  }
  std::string text(size_t bytes_max = text_bytes_max) const {
    if (!json_.is_string() || json_.get_ref<const std::string&>().size() > bytes_max)
      fail(fmt::format("{} is no text of at most {} bytes", name_, bytes_max));
    return json_.get<std::string>();
  }
  // Of which nothing could do more on a terminal than stand there.
  std::string plain_text() const {
    std::string plain = text();
    if (has_control_bytes(plain)) fail(name_ + " has control bytes");
    return plain;
  }
  const std::string& name() const { return name_; }

  template <typename Each>
  void for_each(size_t most, Each each) const {
    if (!json_.is_array() || json_.size() > most)
      fail(fmt::format("{} is no list of at most {}", name_, most));
    for (size_t i = 0; i < json_.size(); ++i) each(Field(json_[i], fmt::format("{}[{}]", name_, i)));
  }
  template <typename Each>
  void for_each_key(size_t most, Each each) const {
    if (!json_.is_object() || json_.size() > most)
      fail(fmt::format("{} is no object with at most {} keys", name_, most));
    for (const auto& [key, value] : json_.items()) each(key, Field(value, called(key)));
  }

 private:
  std::string called(std::string_view key) const {
    return name_.empty() ? std::string(key) : name_ + "." + std::string(key);
  }

  const Json& json_;
  std::string name_;
};

std::vector<BucketCount> read_counts(const Field& field) {
  const std::optional<std::vector<BucketCount>> counts = read_hdr_text(field.text(hdr_text_bytes_max));
  if (!counts) fail(field.name() + " is no histogram of this program's");
  uint64_t sum = 0;
  for (const BucketCount& each : *counts) {
    if (each.count > UINT32_MAX) fail(field.name() + " counts more than can be");
    sum += each.count;
  }
  if (sum > UINT32_MAX) fail(field.name() + " counts more than can be");
  return *counts;
}

Latencies read_latencies(const Field& field) {
  Latencies latencies;
  const uint64_t count = field.at("count").number();
  if (count == 0) return latencies;
  const uint64_t max = field.at("max_us").number();
  uint64_t seen = 0;
  size_t last = 0;
  for (const BucketCount& each : read_counts(field.at("hdr"))) {
    // No more than the largest, of which the exact value is known.
    latencies.record_us(std::min(Histogram::Layout::highest_of(each.bucket), max), each.count);
    seen += each.count;
    last = each.bucket;
  }
  if (seen != count || last != Histogram::Layout::bucket_of(max))
    fail(field.name() + ".hdr does not go with its count and max_us");
  return latencies;
}

CompactLatencies read_compact(const Field& field) {
  CompactLatencies latencies;
  for (const BucketCount& each : read_counts(field))
    latencies.record_us(Histogram::Layout::highest_of(each.bucket), static_cast<uint32_t>(each.count));
  return latencies;
}

template <typename Value, size_t size, typename Named>
uint8_t index_of(const std::string& key, const Field& field, const std::array<Value, size>&, Named named) {
  static_assert(size < 256);
  for (size_t each = 0; each < size; ++each)
    if (named(static_cast<uint8_t>(each)) == key) return static_cast<uint8_t>(each);
  fail(field.name() + " is nothing that this program knows");
}

std::string_view failure_name(uint8_t each) {
  return name(static_cast<Failure>(each));
}
std::string_view phase_name(uint8_t each) {
  return name(static_cast<Phase>(each));
}

// How often each happened; none[0] is what went well.
template <typename Count>
std::array<Count, failures> read_failures(const Field& field, uint64_t ended, uint64_t failed) {
  std::array<Count, failures> counts{};
  uint64_t sum = 0;
  field.at("failures").for_each_key(failures, [&](const std::string& key, const Field& value) {
    const uint8_t index = index_of(key, value, counts, failure_name);
    const uint64_t count = value.number(UINT32_MAX);
    counts[index] = static_cast<Count>(count);
    sum += count;
  });
  if (counts[0] != 0 || sum != failed || failed > ended)
    fail(field.name() + ".failures does not go with what ended and failed");
  counts[0] = static_cast<Count>(ended - failed);
  return counts;
}

PartCounts read_part(const Field& field) {
  PartCounts part;
  part.ended = field.at("ended").small_number();
  part.failed = field.at("failed").small_number();
  if (part.failed > part.ended) fail(field.name() + ": more failed than ended");
  part.bytes_received = field.at("bytes_received").number();
  if (field.has("latency")) part.latency = read_compact(field.at("latency"));
  if (field.has("phases"))
    field.at("phases").for_each_key(phases, [&](const std::string& key, const Field& value) {
      const uint8_t index = index_of(key, value, part.phase, phase_name);
      part.phase[index] = read_compact(value);
    });
  return part;
}

OperationCounts read_counts_of(const Field& field, bool has_parts) {
  OperationCounts counts;
  counts.ended = field.at("ended").number();
  counts.by_failure = read_failures<uint64_t>(field, counts.ended, field.at("failed").number());
  counts.vanished = field.at("vanished").number();
  counts.tries = field.at("tries").number();
  counts.requests = field.at("requests").number();
  counts.connections = field.at("connections").number();
  counts.stalls = field.at("stalls").number();
  counts.bytes_received = field.at("bytes_received").number();
  counts.bytes_sent = field.at("bytes_sent").number();
  counts.packs = field.at("packs").number();
  counts.pack_bytes = field.at("pack_bytes").number();
  counts.pack_objects = field.at("pack_objects").number();
  counts.deep_checks = field.at("packs_unpacked_by_git").number();
  counts.latency = read_latencies(field.at("latency"));
  field.at("phases").for_each_key(phases, [&](const std::string& key, const Field& value) {
    const uint8_t index = index_of(key, value, counts.phase, phase_name);
    counts.phase[index] = read_latencies(value);
  });
  if (!has_parts) return counts;
  size_t next = 0;
  field.at("parts").for_each(parts, [&](const Field& part) { counts.part[next++] = read_part(part); });
  if (next != parts) fail(fmt::format("{}.parts are not {}", field.name(), parts));
  return counts;
}

SecondCounts read_row(const Field& field) {
  SecondCounts row;
  row.begun = field.at("begun").small_number();
  row.ended = field.at("ended").small_number();
  row.failed = field.at("failed").small_number();
  row.by_failure = read_failures<uint32_t>(field, row.ended, row.failed);
  row.bytes_received = field.at("bytes_received").number();
  row.bytes_sent = field.at("bytes_sent").number();
  row.latency_sum_us = field.at("latency_sum_us").number();
  row.latency_max_us = field.at("latency_max_us").small_number();
  if (field.has("latency")) row.latency = read_compact(field.at("latency"));
  return row;
}

RunFacts read_facts(const Field& field) {
  const std::string loop = field.at("loop").plain_text();
  if (loop != "open" && loop != "closed") fail("run.loop is neither open nor closed");
  return {.program = field.at("program").plain_text(),
          .driver = field.at("driver").plain_text(),
          .target = field.at("target").plain_text(),
          .repository = field.at("repository").plain_text(),
          .repositories = field.at("repositories").small_number(),
          .kernel = field.at("kernel").plain_text(),
          .cpu = field.at("cpu").plain_text(),
          .cpus = field.at("cpus").small_number(),
          .started_at = field.at("started_at").plain_text(),
          .started_unix = static_cast<int64_t>(field.at("started_unix").number()),
          .scenario = field.at("scenario").plain_text(),
          .scenario_hash = field.at("scenario_hash").plain_text(),
          .seed = field.at("seed").number(UINT64_MAX),
          .runners = field.at("runners").small_number(),
          .cores = field.at("cores").small_number(),
          .is_open = loop == "open",
          .length_seconds = field.at("length_seconds").real(),
          .warm_up_seconds = field.at("warm_up_seconds").real(),
          .operations_planned = field.at("operations_planned").number(),
          .git = field.at("git").plain_text()};
}

Report read_report(const Field& field) {
  if (field.at("schema").number() != json_schema)
    fail(
        fmt::format("its schema is {}, and this program reads {}", field.at("schema").number(), json_schema));
  Report report;
  report.facts = read_facts(field.at("run"));
  Results& results = report.results;
  field.at("doubts").for_each(doubts_max,
                              [&](const Field& doubt) { results.doubts.push_back(doubt.plain_text()); });
  const Field generator = field.at("generator");
  results.effort = {.cpu_seconds = generator.at("cpu_seconds").real(),
                    .elapsed_seconds = generator.at("elapsed_seconds").real(),
                    .cores = report.facts.cores};
  results.lag = read_latencies(generator.at("lag"));
  results.fairness = field.at("fairness").real();
  field.at("operations")
      .for_each_key(report_operations_max, [&](const std::string& key, const Field& counts) {
        if (has_control_bytes(key)) fail("an operation's name has control bytes");
        report.operations.push_back(key);
        results.operations.push_back(read_counts_of(counts, true));
      });
  results.all = read_counts_of(field.at("all"), false);
  for (const OperationCounts& each : results.operations)
    for (size_t i = 0; i < parts; ++i) results.all.part[i].add(each.part[i]);
  field.at("first_words").for_each_key(failures, [&](const std::string& key, const Field& words) {
    const uint8_t index = index_of(key, words, results.words, failure_name);
    results.words[index] = words.text();
  });
  results.row_seconds = field.at("series").at("row_seconds").small_number();
  if (results.row_seconds == 0) fail("series.row_seconds is 0");
  field.at("series").at("rows").for_each(Collector::rows_max + 1,
                                         [&](const Field& row) { results.series.push_back(read_row(row)); });
  return report;
}

// Goes along with the parser, so that depth and keys that come twice are seen before anything is kept of
// them.
class Watch {
 public:
  bool operator()(int depth, Json::parse_event_t event, Json& parsed) {
    using Event = Json::parse_event_t;
    if (depth > static_cast<int>(report_depth_max)) fail("it is nested too deeply");
    if (event == Event::object_start) keys_.emplace_back();
    if (event == Event::object_end && !keys_.empty()) keys_.pop_back();
    if (event != Event::key || keys_.empty()) return true;
    if (!keys_.back().insert(parsed.get<std::string>()).second)
      fail("the key " + parsed.get<std::string>() + " comes twice");
    if (keys_.back().size() > keys_max) fail("an object has too many keys");
    return true;
  }

 private:
  std::vector<std::set<std::string>> keys_;
};

}  // namespace

std::expected<Report, std::string> read_json_report(std::string_view text) {
  if (text.size() > report_bytes_max)
    return std::unexpected(fmt::format("it has more than {} MiB", report_bytes_max / (1024 * 1024)));
  try {
    Watch watch;
    const auto callback = [&watch](int depth, Json::parse_event_t event, Json& parsed) {
      return watch(depth, event, parsed);
    };
    const Json json = Json::parse(text, callback);
    return read_report(Field(json, ""));
  } catch (const Json::exception& error) {
    return std::unexpected(std::string("it is no JSON: ") + error.what());
  } catch (const Wrong& wrong) {
    return std::unexpected(wrong.sentence);
  }
}

}  // namespace breakwater::storm
