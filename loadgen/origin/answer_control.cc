// The control API, for tests and benchmarks, on a listener of its own: faults on cue, counts, and an upstream
// that moves on.
//
//   PUT    /faults?kind=reset&repository=*&after=100000&share=0.001&count=5   orders one: {"order": 1}
//   GET    /faults    all orders, with how many answers each has hit
//   DELETE /faults    takes all of them back
//   GET    /stats     counts since the start
//   POST   /advance?repository=repository-0.git&commits=1&bytes=4096          {"commit": "..."}
#include <string>

#include <nlohmann/json.hpp>

#include "base/parse_number.h"
#include "config/units.h"
#include "origin/answer.h"
#include "wire/uri.h"

namespace breakwater::storm::origin {

namespace {

using Json = nlohmann::ordered_json;
constexpr uint32_t commits_max = 10'000;

Reply refuse(std::string_view why) {
  return text_reply(400, std::string(why) + "\n");
}

Reply stats(const Counts& counts) {
  const Json json = {{"connections", counts.connections.load()},
                     {"connections_open", counts.connections_open.load()},
                     {"requests", counts.requests.load()},
                     {"advertisements", counts.advertisements.load()},
                     {"ls_refs", counts.ls_refs.load()},
                     {"negotiations", counts.negotiations.load()},
                     {"packs", counts.packs.load()},
                     {"pack_bytes", counts.pack_bytes.load()},
                     {"pushes", counts.pushes.load()},
                     {"pushes_refused", counts.pushes_refused.load()},
                     {"lfs", counts.lfs.load()},
                     {"dumb", counts.dumb.load()},
                     {"pages", counts.pages.load()},
                     {"challenges", counts.challenges.load()},
                     {"not_found", counts.not_found.load()},
                     {"body_bytes", counts.body_bytes.load()},
                     {"answers_broken", counts.answers_broken.load()}};
  return json_reply(200, json.dump(2) + "\n");
}

Reply advance(Site& site, std::string_view query) {
  const std::string_view name = wire::query_value(query, "repository").value_or("*");
  uint32_t commits = 1;
  if (const auto text = wire::query_value(query, "commits");
      text && (!parse_number(*text, commits) || commits == 0 || commits > commits_max))
    return refuse("commits= is from 1 to 10000");
  const std::optional<uint64_t> bytes =
      config::parse_size(wire::query_value(query, "bytes").value_or("4096"));
  if (!bytes || *bytes > SyntheticRepository::pushed_bytes_max)
    return refuse("bytes= is a size like 4096 or 1MiB");
  ObjectId tip;
  bool is_found = false;
  for (const auto& repository : site.repositories) {
    if (name != "*" && name != repository->name()) continue;
    is_found = true;
    tip = repository->advance(commits, *bytes);
    if (tip.is_zero()) return text_reply(507, "there is no room for more in " + repository->name() + "\n");
  }
  if (!is_found) return text_reply(404, "there is no such repository\n");
  return json_reply(200, Json{{"commit", tip.hex()}}.dump() + "\n");
}

Reply order(Site& site, std::string_view query) {
  const std::expected<uint32_t, std::string> number = site.faults.add(query);
  if (!number) return refuse(number.error());
  return json_reply(200, Json{{"order", *number}}.dump() + "\n");
}

}  // namespace

Reply answer_control(Site& site, const Request& request) {
  const wire::Method method = request.head.method;
  if (request.path == "/stats" && method == wire::Method::get) return stats(site.counts);
  if (request.path == "/advance" && method == wire::Method::post) return advance(site, request.query);
  if (request.path != "/faults") return text_reply(404, "/faults, /stats, /advance\n");
  if (method == wire::Method::put) return order(site, request.query);
  if (method == wire::Method::get) return json_reply(200, site.faults.json());
  if (method != wire::Method::delete_)
    return text_reply(405, "PUT, GET or DELETE\n", "Allow: PUT, GET, DELETE\r\n");
  site.faults.clear();
  return json_reply(200, "{}\n");
}

}  // namespace breakwater::storm::origin
