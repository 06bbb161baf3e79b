#include "config/config.h"

namespace breakwater::config {

std::string Endpoint::text() const {
  const std::string name = host.find(':') == std::string::npos ? host : "[" + host + "]";
  return name + ":" + std::to_string(port);
}

}  // namespace breakwater::config
