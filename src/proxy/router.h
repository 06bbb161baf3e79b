// Which pool a request belongs to, by its host and path. Pure; made once for each listener, then only read.
//
// Among the routes that fit, the most exact one is taken: an exact host before "*.domain" before none, then
// the longest path. What fits none goes to the listener's own pool.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"

namespace breakwater::proxy {

class Router {
 public:
  // Of the listener named `listen`. All pools that `config` names exist.
  Router(const config::Config& config, const config::Listen& listen);

  // Index of the pool. `authority` is the Host, with or without a port; `path_query` is raw: it is looked at
  // percent-decoded, where it can be.
  uint32_t pool_for(std::string_view authority, std::string_view path_query) const noexcept;

 private:
  struct Entry {
    std::string host;    // lower case; of "*.domain": ".domain"
    bool any_subdomain;  // of it
    std::string path;    // without a '/' at its end
    uint32_t pool;
  };

  std::vector<Entry> entries_;  // the most exact first
  uint32_t own_pool_;
};

}  // namespace breakwater::proxy
