// A short answer as text.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "client/exchange.h"

namespace breakwater::storm {

// The first bytes of it; the rest is dropped.
struct Beginning : Sink {
  explicit Beginning(size_t most_) noexcept : most(most_) {}
  size_t most;
  std::string text;
  bool take(std::string_view payload) override {
    text += payload.substr(0, std::min(payload.size(), most - text.size()));
    return true;
  }
};

}  // namespace breakwater::storm
