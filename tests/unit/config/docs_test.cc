// docs/configuration.md says what the program does: every key with its default, and examples that parse.
#include <doctest/doctest.h>

#include <array>
#include <string>

#include "config/kind.h"
#include "config/parse.h"
#include "config/probe.h"
#include "config/schema.h"
#include "config/units.h"
#include "unit/text_of_file.h"

using namespace breakwater::config;

namespace {

std::string page() {
  return text_of_file(CONFIGURATION_PAGE);
}

// The row of the table for `key` in the section of `table`: "| `key` | ...". Empty if there is none.
std::string row(const std::string& text, std::string_view table, std::string_view key) {
  const size_t section = text.find("## `[" + std::string(table));
  if (section == std::string::npos) return {};
  const std::string body = text.substr(section, text.find("\n## ", section + 1) - section);
  const size_t at = body.find("\n| `" + std::string(key) + "` |");
  return at == std::string::npos ? std::string() : body.substr(at + 1, body.find('\n', at + 1) - at - 1);
}

std::string without_ticks(std::string text) {
  std::erase(text, '`');
  return text;
}

// What is waited for, and what comes of it, stand in the page as `breakwater check` prints them.
void check_wait(const std::string& text, std::string_view table, const DurationRule& rule) {
  const std::string found = without_ticks(row(text, table, rule.name));
  CAPTURE(rule.name);
  CHECK(found.find("| " + std::string(rule.waited_for)) != std::string::npos);
  CHECK(found.find("| " + std::string(rule.when_over)) != std::string::npos);
}

std::string bounds(const std::string& min, const std::string& max, bool takes_off) {
  return min + " to " + max + (takes_off ? ", or `\"off\"` |" : " |");
}

void check_row(const std::string& text, std::string_view table, std::string_view key,
               const std::string& default_value) {
  CAPTURE(table);
  CAPTURE(key);
  const std::string found = row(text, table, key);
  CHECK_FALSE(found.empty());
  CHECK(found.find(default_value) != std::string::npos);
}

}  // namespace

TEST_CASE("docs: every table and key is there, with its default") {
  const std::string text = page();
  REQUIRE_FALSE(text.empty());
  for (const auto key : listen_keys) check_row(text, "listen", key, "");
  for (const auto key : pool_keys) check_row(text, "pool", key, "");
  for (const auto key : log_keys) check_row(text, "log", key, "");
  for (const auto key : dns_keys) check_row(text, "dns", key, "");
  for (const auto key : admin_keys) check_row(text, "admin", key, "");
  for (const auto key : process_keys) check_row(text, "process", key, "");
  for (const auto key : route_keys) check_row(text, "route", key, "");
  const auto check_durations = [&](std::string_view table, const auto& keys, const auto& owner) {
    for (const auto& key : keys) {
      const Duration value = owner.*key.member;
      const std::string shown = value.count() == 0 ? "off" : format_duration(value);
      check_row(text, table, key.name,
                "| `\"" + shown + "\"` | " +
                    bounds(format_duration(key.min), format_duration(key.max), key.takes_off));
    }
  };
  check_durations("timeouts", timeout_keys, Timeouts{});
  check_durations("dns", dns_duration_keys, Dns{});
  check_durations("pool", pool_timeout_keys, PoolTimeouts{});
  check_durations("pool", probe_duration_keys, Probe{});
  check_durations("pool", agent_duration_keys, Agent{});
  check_durations("pool", health_duration_keys, Health{});
  check_durations("pool", admission_duration_keys, Admission{});
  check_durations("pool", std::array{sticky_max_age_key}, Sticky{});
  const auto check_counts = [&](const auto& keys, const auto& owner) {
    for (const auto& key : keys)
      check_row(text, "pool", key.name,
                "| `" + std::to_string(owner.*key.member) + "` | " +
                    bounds(std::to_string(key.min), std::to_string(key.max), key.takes_off));
  };
  check_counts(probe_count_keys, Probe{});
  check_counts(agent_count_keys, Agent{});
  check_counts(health_count_keys, Health{});
  check_counts(admission_count_keys, Admission{});
  const auto check_percent = [&](const CountRule& rule, uint32_t value) {
    check_row(text, "pool", rule.name,
              "| `\"" + std::to_string(value) + "%\"` | " +
                  bounds(std::to_string(rule.min) + "%", std::to_string(rule.max) + "%", rule.takes_off));
  };
  check_percent(retries_key, Pool{}.retries);
  for (const auto& key : health_percent_keys) check_percent(key, Health{}.*key.member);
  for (const auto& key : limit_count_keys)
    check_row(text, "limits", key.name,
              "| `" + std::to_string(Limits{}.*key.member) + "` | " + std::to_string(key.min) + " to " +
                  std::to_string(key.max));
  const auto check_size = [&](std::string_view table, const SizeKey& key, uint64_t value) {
    const std::string shown = value == 0 ? "off" : format_size(value);
    check_row(text, table, key.name,
              "| `\"" + shown + "\"` | " + bounds(format_size(key.min), format_size(key.max), key.takes_off));
  };
  check_size("limits", head_bytes_key, Limits{}.head_bytes);
  check_size("limits", target_bytes_key, Limits{}.target_bytes);
  check_size("limits", body_bytes_key, Limits{}.body_bytes);
  check_size("timeouts", client_pace_key, Timeouts{}.client_pace);
}

TEST_CASE("docs: every wait reads as `breakwater check --explain-timeouts` prints it") {
  const std::string text = page();
  for (const auto& key : timeout_keys) check_wait(text, "timeouts", key);
  for (const auto& key : dns_duration_keys) check_wait(text, "dns", key);
  for (const auto& key : probe_duration_keys) check_wait(text, "pool", key);
  for (const auto& key : agent_duration_keys) check_wait(text, "pool", key);
  for (const auto& key : health_duration_keys) check_wait(text, "pool", key);
}

TEST_CASE("docs: every word of a choice, and what each kind sets") {
  const std::string text = page();
  const auto check_words = [&](std::string_view table, std::string_view key, const auto& words) {
    for (const auto& word : words) check_row(text, table, key, "`\"" + std::string(word.text) + "\"`");
  };
  check_words("pool", "kind", kind_words);
  check_words("pool", "balance", balance_words);
  check_words("pool", "upload_pack_framing", framing_words);
  check_words("log", "target", log_targets);
  for (const auto& [word, kind] : kind_words) {
    const std::string key = "\"" + std::string(word) + "\"";  // the rows of this table begin with it
    Pool pool;
    pool.kind = kind;
    for (const KindFact& fact : facts_of(kind)) set_fact(pool, fact.key);
    for (const KindFact& fact : facts_of(kind)) {
      if (fact.key == "probe") check_row(text, "pool", key, "| `\"" + format_probe(pool.probe) + "\"` |");
      if (fact.key == "server_idle")
        check_row(text, "pool", key, "| `\"" + format_duration(pool.timeouts.server_idle) + "\"` |");
      if (fact.key == "upload_pack_framing")
        check_row(text, "pool", key,
                  "| `\"" + std::string(text_of<UploadPackFraming>(framing_words, pool.upload_pack_framing)) +
                      "\"` |");
    }
  }
}

TEST_CASE("docs: the examples parse") {
  const std::string text = page();
  size_t examples = 0;
  for (size_t at = text.find("```toml\n"); at != std::string::npos; at = text.find("```toml\n", at + 1)) {
    const size_t begin = at + 8;
    const std::string example = text.substr(begin, text.find("```", begin) - begin);
    const auto parsed = parse(example);
    if (const auto* problems = std::get_if<Problems>(&parsed))
      FAIL_CHECK(render(*problems, "example", example));
    ++examples;
  }
  CHECK(examples >= 2);
}
