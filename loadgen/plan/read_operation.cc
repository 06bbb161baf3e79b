// [operation.NAME]: one thing that a runner does. What it doesn't say is as its client has it (profile.h).
#include "plan/operation_path.h"
#include "plan/profile.h"
#include "plan/scenario_reader.h"

namespace breakwater::storm {

namespace {

bool read_protocol(ScenarioReader& reader, const toml::node& node, const std::string& title,
                   Operation& operation) {
  const std::optional<uint32_t> protocol = reader.count(node, protocol_rule, title);
  if (protocol) operation.protocol = static_cast<uint8_t>(*protocol);
  return protocol.has_value();
}

bool read_ref(ScenarioReader& reader, const toml::node& node, const std::string& title,
              Operation& operation) {
  std::optional<std::string> ref =
      reader.plain_text(node, "ref", title, text_bytes_max, "a branch, a tag, or a commit's id");
  if (ref) operation.ref = std::move(*ref);
  return ref.has_value();
}

bool read_path(ScenarioReader& reader, const toml::node& node, const std::string& title,
               Operation& operation) {
  std::optional<std::string> path = reader.plain_text(node, "path", title, lfs_list_bytes_max,
                                                      "what comes behind the repository, or LFS objects");
  if (path) operation.path = std::move(*path);
  return path.has_value();
}

bool read_value(ScenarioReader& reader, std::string_view name, const toml::node& node,
                const std::string& title, Operation& operation) {
  if (name == "protocol") return read_protocol(reader, node, title, operation);
  if (name == "ref") return read_ref(reader, node, title, operation);
  if (name == "path") return read_path(reader, node, title, operation);
  ValueOfKey value{reader, title, name, node};
  value.one(verb_key, operation);
  value.one(client_key, operation);
  value.one(filter_key, operation);
  value.one(bytes_key, operation);
  value.among(operation_count_keys, operation);
  value.among(operation_duration_keys, operation);
  return value.result();
}

// What was written wins; then what the client does.
void fill_in(const config::KeyOrigins& origins, Operation& operation) {
  const Profile& profile = profile_of(operation.client);
  if (!origins.contains("verb")) operation.verb = profile.verb;
  const bool fetches = (of_fetches & set_of(operation.verb)) != 0;
  if (!origins.contains("depth") && fetches) operation.depth = profile.depth;
  if (!origins.contains("filter") && fetches) operation.blobless = profile.blobless;
  if (!origins.contains("tries")) operation.tries = profile.tries;
  if (!origins.contains("retry_min") && !origins.contains("retry_max")) {
    operation.retry_min = profile.retry_min;
    operation.retry_max = profile.retry_max;
  }
}

void check_path(const config::TableDraft& in, const Operation& operation) {
  const auto origin = in.origins.find("path");
  if (origin == in.origins.end() || config::is_wrong(in.origins, "path")) return;
  const std::string why = why_no_path(operation.verb, operation.path);
  if (!why.empty())
    in.findings.report(
        origin->second.place,
        "`path` in " + in.title + " can't be " + config::in_quotes(operation.path) + ": " + why,
        operation.verb == Verb::lfs ? "write \"OID:BYTES,OID:BYTES\"" : "");
}

}  // namespace

void read_operation(ScenarioReader& reader, const toml::key& key, const toml::table& table) {
  Operation operation;
  operation.name = key.str();
  config::KeyOrigins origins;
  const config::TableDraft in{reader.draft, "[operation." + operation.name + "]", origins};
  reader.each_key(table, in.title, operation_keys, [&](std::string_view name, const toml::node& node) {
    const bool good = read_value(reader, name, node, in.title, operation);
    origins[name] = config::origin_of(node, good);
  });
  if (!origins.contains("verb") && !origins.contains("client") && reader.is_complete())
    reader.report(key, in.title + " has neither a `verb` nor a `client`", "for example verb = \"clone\"");
  fill_in(origins, operation);
  const bool is_known = !config::is_wrong(origins, "verb") && !config::is_wrong(origins, "client");
  if (is_known) {
    check_uses(in, config::place_of(key), "verb", verb_words, operation.verb, operation_uses);
    check_path(in, operation);
  }
  const bool lacks_filter = !operation.blobless && !config::is_wrong(origins, "filter");
  if (operation.verb == Verb::clone && lacks_filter)
    config::report_unused(in, "lazy_objects", "filter = \"blob:none\"");
  if (operation.tries == 1 && !config::is_wrong(origins, "tries"))
    for (const std::string_view name : {"retry_min", "retry_max"})
      config::report_unused(in, name, "more than one of `tries`");
  config::check_order(in, operation, config::key_of(operation_duration_keys, "retry_min"),
                      config::key_of(operation_duration_keys, "retry_max"));
  reader.draft.verbs_are_known.push_back(is_known);
  reader.draft.file.scenario.operations.push_back(std::move(operation));
}

}  // namespace breakwater::storm
