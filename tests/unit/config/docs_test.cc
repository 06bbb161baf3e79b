// docs/configuration.md says what the program does: every key with its default, and examples that parse.
#include <doctest/doctest.h>

#include <fstream>
#include <sstream>
#include <string>

#include "config/parse.h"
#include "config/schema.h"
#include "config/units.h"

using namespace breakwater::config;

namespace {

std::string page() {
  std::ifstream file(CONFIGURATION_PAGE);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// The row of the table for `key` in the section of `table`: "| `key` | ...". Empty if there is none.
std::string row(const std::string& text, std::string_view table, std::string_view key) {
  const size_t section = text.find("## `[" + std::string(table));
  if (section == std::string::npos) return {};
  const std::string body = text.substr(section, text.find("\n## ", section + 1) - section);
  const size_t at = body.find("| `" + std::string(key) + "` |");
  return at == std::string::npos ? std::string() : body.substr(at, body.find('\n', at) - at);
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
  for (const auto key : admin_keys) check_row(text, "admin", key, "");
  for (const auto key : process_keys) check_row(text, "process", key, "");
  for (const auto& key : timeout_keys) {
    const Duration value = Timeouts{}.*key.member;
    const std::string shown = value.count() == 0 ? "off" : format_duration(value);
    check_row(text, "timeouts", key.name,
              "| `\"" + shown + "\"` | " + format_duration(key.min) + " to " + format_duration(key.max));
  }
  for (const auto& key : limit_count_keys)
    check_row(text, "limits", key.name,
              "| `" + std::to_string(Limits{}.*key.member) + "` | " + std::to_string(key.min) + " to " +
                  std::to_string(key.max));
  const auto check_size = [&](const SizeKey& key, uint64_t value) {
    const std::string shown = value == 0 ? "off" : format_size(value);
    check_row(text, "limits", key.name,
              "| `\"" + shown + "\"` | " + format_size(key.min) + " to " + format_size(key.max));
  };
  check_size(head_bytes_key, Limits{}.head_bytes);
  check_size(target_bytes_key, Limits{}.target_bytes);
  check_size(body_bytes_key, Limits{}.body_bytes);
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
