#include "app/admin_guard.h"

#include "base/parse_ip.h"
#include "wire/http_head.h"

namespace breakwater::app {

namespace {

bool is_address(int family, std::string_view text) {
  in6_addr address;
  return parse_ip(family, text, &address);
}

}  // namespace

bool is_own_host(std::string_view host) {
  if (host.empty()) return true;
  if (host.front() == '[') {
    const size_t end = host.find(']');
    return end != std::string_view::npos && is_address(AF_INET6, host.substr(1, end - 1));
  }
  const std::string_view name = host.substr(0, host.find(':'));
  return is_address(AF_INET, name) || wire::equals_ignoring_case(name, "localhost");
}

}  // namespace breakwater::app
