// StickyKey: what the values of a pool's sticky cookie are made with. Out of it and the names of pool and
// server comes one value for each server, the same on every node that has the key, which tells nobody who
// lacks the key anything of the server, and which nobody can make without it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/config.h"

namespace breakwater::app {

class StickyKey {
 public:
  // Out of the file that `sticky` names; without one a new key. None if the file can't be read or holds too
  // little or too much; then `why` says so.
  static std::optional<StickyKey> make(const config::Sticky& sticky, std::string& why);

  // `server` is its label: as configured, for a name with its address.
  std::string value_for(std::string_view pool, std::string_view server) const;

 private:
  explicit StickyKey(std::string bytes) : bytes_(std::move(bytes)) {}

  std::string bytes_;
};

}  // namespace breakwater::app
