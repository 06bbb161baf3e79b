// [target]: the server, its repositories, and how it is to be spoken to.
#include <algorithm>

#include "plan/scenario_reader.h"
#include "plan/url.h"

namespace breakwater::storm {

namespace {

class TargetReader {
 public:
  explicit TargetReader(ScenarioReader& reader) : reader_(reader) {}

  void read(const toml::key& key, const toml::table& table);

 private:
  // Each is true if the value is good.
  bool read_key(std::string_view name, const toml::node& node);
  bool read_the_url(const toml::node& node);
  bool read_repositories(const toml::node& node);
  bool read_one_repository(const toml::node& node);
  bool read_file(std::string_view name, const toml::node& node, NamedFile& file);
  bool read_word(std::string_view name, const toml::node& node, std::string_view example,
                 std::string& member);
  void check_presence(const toml::key& key);
  void check_tls();
  void check_credentials(const toml::key& key);

  ScenarioReader& reader_;
  ScenarioDraft& draft_ = reader_.draft;
  Target& target_ = draft_.file.scenario.target;
  config::KeyOrigins& origins_ = draft_.target;
  const std::string title_ = "[target]";
};

void TargetReader::read(const toml::key& key, const toml::table& table) {
  reader_.each_key(table, title_, target_keys, [&](std::string_view name, const toml::node& node) {
    const bool good = read_key(name, node);
    origins_[name] = config::origin_of(node, good);
  });
  if (!draft_.url.empty()) read_server_url(draft_.url, target_);
  target_.tls_ca = draft_.file.authorities.path;
  if (draft_.complete) check_presence(key);
  check_tls();
  check_credentials(key);
}

bool TargetReader::read_key(std::string_view name, const toml::node& node) {
  if (name == "url") return read_the_url(node);
  if (name == "repositories") return read_repositories(node);
  if (name == "password_file") return read_file(name, node, draft_.file.password_file);
  if (name == "tls_ca") return read_file(name, node, draft_.file.authorities);
  if (name == "user") return read_word(name, node, "who says that it is", target_.user);
  if (name == "tls_name")
    return read_word(name, node, "a host's name, as certificates have it", target_.tls_name);
  if (name == "authentication") return reader_.read(node, authentication_key, title_, target_);
  const std::optional<bool> verifies = reader_.flag(node, name, title_);
  if (verifies) target_.tls_verify = *verifies;
  return verifies.has_value();
}

bool TargetReader::read_the_url(const toml::node& node) {
  const std::string* const text = reader_.text(node, "url", title_, "\"http://127.0.0.1:3000\"");
  if (text == nullptr) return false;
  const std::string why = read_server_url(*text, target_);
  if (why.empty()) return true;
  reader_.report(node, "`url` in [target]: " + config::shown(why, 300));
  return false;
}

bool TargetReader::read_repositories(const toml::node& node) {
  const toml::array* const array =
      reader_.array(node, "repositories", title_, "\"/owner/name.git\"", repositories_max);
  if (array == nullptr) return false;
  if (array->empty()) reader_.report(node, "`repositories` in [target] must name at least one repository");
  bool good = !array->empty();
  for (const toml::node& item : *array) good = read_one_repository(item) && good;
  return good;
}

bool TargetReader::read_one_repository(const toml::node& node) {
  const std::string* const text = reader_.text(node, "repositories", title_, "\"/owner/name.git\"");
  if (text == nullptr) return false;
  std::string path = read_repository(*text);
  std::vector<std::string>& all = target_.repositories;
  if (path.empty()) {
    reader_.report(
        node, config::in_quotes(*text) + " in `repositories` of [target] is not the path of a repository",
        "for example \"/owner/name.git\"");
  } else if (std::ranges::find(all, path) != all.end()) {
    reader_.report(node, config::in_quotes(*text) + " stands in `repositories` of [target] twice");
  } else {
    all.push_back(std::move(path));
    return true;
  }
  return false;
}

bool TargetReader::read_file(std::string_view name, const toml::node& node, NamedFile& file) {
  std::optional<std::string> path = reader_.path(node, name, title_);
  if (path) file = {std::move(*path), config::place_of(node)};
  return !file.path.empty();
}

bool TargetReader::read_word(std::string_view name, const toml::node& node, std::string_view example,
                             std::string& member) {
  std::optional<std::string> word =
      reader_.plain_text(node, name, title_, config::name_bytes_max * 4, example);
  if (word) member = std::move(*word);
  return word.has_value();
}

void TargetReader::check_presence(const toml::key& key) {
  if (!origins_.contains("url") && draft_.url.empty())
    reader_.report(key, "[target] has no `url`", "for example url = \"http://127.0.0.1:3000\"");
  if (!origins_.contains("repositories"))
    reader_.report(key, "[target] has no `repositories`", "for example repositories = [\"/owner/name.git\"]");
}

void TargetReader::check_tls() {
  const config::TableDraft in{draft_, title_, origins_};
  const bool says_where = origins_.contains("url") && !config::is_wrong(origins_, "url");
  if (!target_.tls && says_where && draft_.url.empty())
    for (const std::string_view name : {"tls_ca", "tls_verify", "tls_name"})
      config::report_unused(in, name, "an https:// `url`");
  if (!target_.tls_verify)
    for (const std::string_view name : {"tls_ca", "tls_name"})
      config::report_unused(in, name, "`tls_verify`");
}

// Who has a password uses it; how, git decides unless the file does: after a 401.
void TargetReader::check_credentials(const toml::key& key) {
  Authentication& how = target_.authentication;
  const config::TableDraft in{draft_, title_, origins_};
  if (config::is_wrong(origins_, "authentication")) return;
  const bool has_any = origins_.contains("user") || origins_.contains("password_file");
  if (!origins_.contains("authentication") && has_any) how = Authentication::challenge;
  if (how == Authentication::none)
    for (const std::string_view name : {"user", "password_file"})
      config::report_unused(in, name, "an `authentication` other than \"none\"");
  if (how == Authentication::bearer)
    config::report_unused(in, "user", "authentication = \"challenge\" or \"basic\"");
  if (!draft_.complete || how == Authentication::none) return;
  if (!origins_.contains("password_file"))
    reader_.report(key, "[target] has no `password_file` to authenticate with",
                   "for example password_file = \"secret\", which has it in its first line");
  if (how != Authentication::bearer && !origins_.contains("user"))
    reader_.report(key, "[target] has no `user` to authenticate as", "for example user = \"ci\"");
}

}  // namespace

void read_target(ScenarioReader& reader, const toml::key& key, const toml::table& table) {
  TargetReader(reader).read(key, table);
}

}  // namespace breakwater::storm
