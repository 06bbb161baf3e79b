// The sticky cookie of one exchange: pages have it, Git never.
#include "proxy/exchange.h"

namespace breakwater::proxy {

// The server that the client's cookie names, if it may have the request.
uint32_t Exchange::choose_sticky_server() noexcept {
  if (git_.operation != wire::GitOperation::other) return backends::no_server;
  named_by_cookie_ = sticky_server(pool_->shared, request_.fields);
  const uint32_t server = named_by_cookie_.index;
  if (server == backends::no_server || !keeps_clients(health(), server, core_.now_ns()))
    return backends::no_server;
  return server;
}

// What the answer says of the cookie. It is set where the client's does not name the server that answers.
StickyCookie Exchange::cookie_of_answer() const noexcept {
  const config::Sticky& sticky = pool_->shared.config.sticky;
  if (sticky.cookie.empty() || git_.operation != wire::GitOperation::other) return {};
  const std::string_view value = server_->to().sticky;
  const bool has_it = named_by_cookie_.value == value;
  return {.name = sticky.cookie,
          .value = has_it ? std::string_view() : value,
          .secure = sticky.secure || came_by_tls(),
          .max_age_s = static_cast<uint64_t>(sticky.max_age.count() / 1000)};
}

// A proxy of ours in front knows better; of several, the one nearest to the client.
bool Exchange::came_by_tls() const noexcept {
  if (!session_.peer_is_trusted()) return session_.stream().is_secure();
  const std::string_view told = request_.fields.find("x-forwarded-proto");
  if (told.empty()) return session_.stream().is_secure();
  return wire::equals_ignoring_case(told.substr(0, told.find_first_of(", ")), "https");
}

}  // namespace breakwater::proxy
