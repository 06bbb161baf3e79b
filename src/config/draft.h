// A configuration while it is read: what is known of it, what is wrong with it, and what can only be judged
// when the whole file is known (whole.h). Knows nothing of TOML.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "config/config.h"
#include "config/origins.h"
#include "config/problems.h"

namespace breakwater::config {

// All tables [listen.NAME], [pool.NAME] or [route.NAME].
struct NamedTables {
  bool seen = false;
  bool whole = true;  // false once one of them could not be read: then no name is called unknown
};

// A name in the file that must be that of one of its pools, or of its listeners.
struct Reference {
  std::string from;  // "[listen.git]", "[route.lfs]"
  std::string name;
  Place place;
};

struct Bind {
  std::string from;  // "[listen.git]", "[admin]"
  Endpoint endpoint;
  Place place;
};

// A server of a pool.
struct PlacedServer {
  std::string pool;
  Endpoint address;
  Place place;
};

struct Draft : Findings {
  using Findings::Findings;

  Config config;
  Origins origins;
  NamedTables listens, pools, routes;
  std::vector<Bind> binds;
  std::vector<PlacedServer> servers;
  std::vector<Reference> pool_references, listen_references;
  std::vector<std::pair<size_t, Place>> listens_without_pool;  // index in config.listens
  std::vector<std::pair<size_t, Place>> route_places;          // of those that are good
};

}  // namespace breakwater::config
