#include "app/admin_pages.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "app/admin_guard.h"
#include "app/admin_verbs.h"
#include "ring/sys.h"
#include "wire/uri.h"

namespace breakwater::app {

namespace {

constexpr std::string_view json_type = "application/json";
constexpr std::string_view metrics_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
constexpr std::string_view servers_path = "/servers/";

bool only_reads(const AdminRequest& request) {
  return request.method == "GET" || request.method == "HEAD";
}

AdminAnswer method_refused(std::string_view allowed) {
  return {405, "this page takes " + std::string(allowed) + " only\n", "text/plain; charset=utf-8", allowed};
}

AdminAnswer not_found(std::string text) {
  return {404, std::move(text) + "\n"};
}

// "a, b, c" of whatever `name` gives for each.
template <typename List, typename Name>
std::string joined(const List& list, Name name) {
  std::string text;
  for (const auto& each : list) text += (text.empty() ? "" : ", ") + std::string(name(each));
  return text;
}

// Views of the running program are for operators, not for web pages (admin_guard.h).
std::optional<AdminAnswer> refuse_web_pages(const AdminRequest& request) {
  if (request.has_origin)
    return AdminAnswer{403, "a request with an Origin is a web page's; none is answered here\n"};
  if (is_own_host(request.host)) return std::nullopt;
  return AdminAnswer{
      403, "the Host must be an IP address or localhost here, so that no web page can reach this\n"};
}

}  // namespace

AdminPages::AdminPages(Texts texts, std::deque<proxy::SharedPool>& pools, AdminLog& log)
    : texts_(std::move(texts)), pools_(pools), log_(log), started_ns_(sys::monotonic_ns()) {}

AdminAnswer AdminPages::answer(const AdminRequest& request) {
  const std::string_view path = request.path;
  const bool is_server = path.starts_with(servers_path);
  const bool is_view = path == "/servers" || path == "/operations" || path == "/queue" || is_server;
  if (!is_view && path != "/metrics" && path != "/healthz") {
    return not_found(
        "the admin listener has /metrics, /healthz, /servers, /servers/POOL/SERVER, /operations and /queue");
  }
  if (is_view) {
    if (std::optional<AdminAnswer> refusal = refuse_web_pages(request)) return std::move(*refusal);
  }
  if (is_server) return server(request);
  if (!only_reads(request)) return method_refused("GET, HEAD");
  if (path == "/metrics") return {200, texts_.metrics(), metrics_type};
  if (path == "/healthz") return health();
  if (path == "/operations") return {200, texts_.operations(), json_type};
  if (path == "/queue") return {200, texts_.queue(), json_type};
  return {200, servers_page(pools_, moment()), json_type};
}

AdminAnswer AdminPages::health() const {
  if (draining_.load()) return {503, "draining\n"};
  return {200, "ok\n"};
}

// /servers/POOL/SERVER. A server's name may have slashes in it; they need not be encoded.
AdminAnswer AdminPages::server(const AdminRequest& request) {
  const std::string_view rest = std::string_view(request.path).substr(servers_path.size());
  const size_t slash = std::min(rest.find('/'), rest.size());
  const std::string_view pool_name = rest.substr(0, slash);
  const auto pool = std::find_if(pools_.begin(), pools_.end(), [&](const proxy::SharedPool& each) {
    return each.config.name == pool_name;
  });
  if (pool == pools_.end()) {
    return not_found("there is no pool `" + std::string(pool_name) + "`; pools are " +
                     joined(pools_, [](const proxy::SharedPool& each) { return each.config.name; }));
  }
  const std::string_view raw = rest.substr(std::min(slash + 1, rest.size()));
  std::array<char, 1024> room;
  const std::optional<std::string_view> name = wire::percent_decode(raw, room);
  const Moment now = moment();
  const std::vector<NamedServer> servers = servers_of(*pool, now.now_ns);
  const auto found = std::find_if(servers.begin(), servers.end(),
                                  [&](const NamedServer& each) { return name && each.name == *name; });
  if (found == servers.end()) {
    return not_found("there is no server `" + std::string(raw) + "` in the pool " + pool->config.name +
                     "; its servers are " +
                     joined(servers, [](const NamedServer& each) { return each.name; }));
  }
  if (request.method == "POST") return change_server(request, *pool, *found, now, log_);
  if (!only_reads(request)) return method_refused("GET, HEAD, POST");
  return {200, text_of(server_row(*pool, *found, now)), json_type};
}

Moment AdminPages::moment() const {
  return {sys::monotonic_ns(), started_ns_};
}

}  // namespace breakwater::app
