#include "proxy/router.h"

#include <algorithm>
#include <array>
#include <optional>
#include <tuple>

#include "wire/byte_class.h"
#include "wire/http_head.h"
#include "wire/uri.h"

namespace breakwater::proxy {

namespace {

uint32_t index_of(const config::Config& config, const std::string& name) {
  const auto of_name = [&](const config::Pool& pool) { return pool.name == name; };
  return static_cast<uint32_t>(std::find_if(config.pools.begin(), config.pools.end(), of_name) -
                               config.pools.begin());
}

bool ends_with_ignoring_case(std::string_view text, std::string_view end) {
  return text.size() > end.size() && wire::equals_ignoring_case(text.substr(text.size() - end.size()), end);
}

// "/team" holds "/team" and "/team/app", but not "/teams".
bool holds(std::string_view folder, std::string_view path) {
  return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

}  // namespace

Router::Router(const config::Config& config, const config::Listen& listen)
    : own_pool_(index_of(config, listen.pool)) {
  for (const config::Route& route : config.routes) {
    if (!route.listen.empty() && route.listen != listen.name) continue;
    Entry entry{route.host, route.host.starts_with("*."), route.path, index_of(config, route.pool)};
    if (entry.any_subdomain) entry.host.erase(0, 1);
    if (entry.path.ends_with('/')) entry.path.pop_back();
    entries_.push_back(std::move(entry));
  }
  const auto exactness = [](const Entry& entry) {
    return std::tuple(entry.host.empty()    ? 0
                      : entry.any_subdomain ? 1
                                            : 2,
                      entry.host.size(), entry.path.size());
  };
  std::stable_sort(entries_.begin(), entries_.end(),
                   [&](const Entry& a, const Entry& b) { return exactness(a) > exactness(b); });
}

uint32_t Router::pool_for(std::string_view authority, std::string_view path_query) const noexcept {
  if (entries_.empty()) return own_pool_;
  const std::string_view host = wire::without_port(authority);
  std::array<char, 4096> room;
  const std::string_view raw = wire::split_query(path_query).path;
  const std::string_view path = wire::percent_decode(raw, room).value_or(raw);
  for (const Entry& entry : entries_) {
    const bool of_host =
        entry.host.empty() || (entry.any_subdomain ? ends_with_ignoring_case(host, entry.host)
                                                   : wire::equals_ignoring_case(host, entry.host));
    if (of_host && holds(entry.path, path)) return entry.pool;
  }
  return own_pool_;
}

}  // namespace breakwater::proxy
