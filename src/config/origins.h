// Where the values of a configuration came from, recorded while it is read.
#pragma once

#include <cstdint>
#include <map>
#include <string_view>
#include <vector>

#include "config/problems.h"

namespace breakwater::config {

struct Origin {
  enum class From : uint8_t {
    file,     // the value at `place`, of this key or, for a timeout of a pool, of the same one in [timeouts]
    kind,     // what the pool's kind says
    follows,  // a default that gave way to the value of another key at `place`
    wrong,    // nothing that can be used stands at `place`; it was reported
  };
  From from = From::file;
  Place place;
};

// By the key's name in schema.h. A key that is not there has its default.
using KeyOrigins = std::map<std::string_view, Origin>;

struct Origins {
  KeyOrigins timeouts;            // of [timeouts]
  KeyOrigins dns;                 // of [dns]
  std::vector<KeyOrigins> pools;  // of Config::pools, in the same order
};

}  // namespace breakwater::config
