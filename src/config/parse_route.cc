// [route.NAME]: which requests go to which pool.
#include "base/lower_case.h"
#include "config/message.h"
#include "config/network.h"
#include "config/probe.h"
#include "config/tables.h"

namespace breakwater::config {
namespace {

class RouteReader {
 public:
  RouteReader(Reader& reader, std::string_view name)
      : reader_(reader), title_("[route." + std::string(name) + "]") {
    route_.name = name;
  }

  void read(const toml::key& key, const toml::table& table);

 private:
  void read_key(std::string_view name, const toml::node& node);
  void read_reference(std::string_view name, const toml::node& node, std::string& value,
                      std::vector<Reference>& references);
  // `check` is check_host_pattern() or check_request_path().
  void read_pattern(std::string_view name, const toml::node& node, std::string_view example,
                    bool (*check)(std::string_view, std::string&), std::string& value);

  Reader& reader_;
  const std::string title_;
  Route route_;
  bool good_ = true;
  bool pool_seen_ = false, pattern_seen_ = false;
};

void RouteReader::read(const toml::key& key, const toml::table& table) {
  Draft& draft = reader_.draft;
  reader_.each_key(table, title_, route_keys,
                   [&](std::string_view name, const toml::node& node) { read_key(name, node); });
  if (draft.complete && !pool_seen_)
    reader_.report(key, title_ + " has no `pool`", "for example pool = \"gogs\"");
  if (draft.complete && !pattern_seen_)
    reader_.report(key, title_ + " has neither `host` nor `path`",
                   "what fits no route goes to the `pool` of its listener");
  if (good_ && pattern_seen_) draft.route_places.push_back({draft.config.routes.size(), place_of(key)});
  draft.config.routes.push_back(std::move(route_));
}

void RouteReader::read_key(std::string_view name, const toml::node& node) {
  Draft& draft = reader_.draft;
  if (name == "listen") return read_reference(name, node, route_.listen, draft.listen_references);
  if (name == "pool") {
    pool_seen_ = true;
    return read_reference(name, node, route_.pool, draft.pool_references);
  }
  pattern_seen_ = true;
  if (name == "path") return read_pattern(name, node, "\"/lfs/\"", check_request_path, route_.path);
  read_pattern(name, node, "\"git.example.com\" or \"*.example.com\"", check_host_pattern, route_.host);
  route_.host = lower_case(route_.host);
}

void RouteReader::read_reference(std::string_view name, const toml::node& node, std::string& value,
                                 std::vector<Reference>& references) {
  const std::string* const text = reader_.text(node, name, title_, "the name of a " + std::string(name));
  good_ = good_ && text != nullptr;
  if (text == nullptr) return;
  value = *text;
  references.push_back({title_, *text, place_of(node)});
}

void RouteReader::read_pattern(std::string_view name, const toml::node& node, std::string_view example,
                               bool (*check)(std::string_view, std::string&), std::string& value) {
  const std::string* const text = reader_.text(node, name, title_, example);
  std::string why;
  const bool good = text != nullptr && check(*text, why);
  good_ = good_ && good;
  if (good)
    value = *text;
  else if (text != nullptr)
    reader_.report(node, ticked(name) + " in " + title_ + " can't be " + in_quotes(*text) + ": " + why);
}

}  // namespace

void read_route(Reader& reader, const toml::key& key, const toml::table& table) {
  RouteReader(reader, key.str()).read(key, table);
}

}  // namespace breakwater::config
