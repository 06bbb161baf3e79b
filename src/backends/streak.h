// How often in a row probes contradicted what is believed of a server.
#pragma once

#include <cstdint>

namespace breakwater::backends {

class Streak {
 public:
  // A probe said `up`, while the server is believed to be `is_up`. True if `needed` in a row said so: then it
  // is to be believed.
  bool says(bool up, bool is_up, uint32_t needed) noexcept {
    if (up != said_) count_ = 0;
    said_ = up;
    count_ = up == is_up ? 0 : count_ + 1;
    if (count_ < needed) return false;
    count_ = 0;
    return true;
  }
  // Some probe did, and it is not believed yet.
  bool changing() const noexcept { return count_ > 0; }

 private:
  bool said_ = false;
  uint32_t count_ = 0;
};

}  // namespace breakwater::backends
