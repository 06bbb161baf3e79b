#include "config/config.h"

namespace breakwater::config {

std::string Endpoint::text() const {
  if (!path.empty()) return "unix:" + path;
  if (service) return "srv:" + host;
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

}  // namespace breakwater::config
