// Heads of answers, in the order and with the fields that the servers we stand in for give them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "origin/options.h"
#include "origin/reply.h"

namespace breakwater::storm::origin {

struct BodyHead {
  bool is_chunked = false;
  std::optional<uint64_t> length;  // neither: the connection's end ends it
  bool keep_alive = true;
};
std::string head_of(const Reply& reply, const BodyHead& body, Framing framing, std::string_view date);

// RFC 9110 §5.6.7: "Thu, 26 Nov 2026 22:00:00 GMT". Made anew once a second.
class HttpDate {
 public:
  std::string_view at(int64_t realtime_ns);

 private:
  int64_t second_ = -1;
  std::string text_;
};

}  // namespace breakwater::storm::origin
