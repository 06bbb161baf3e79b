// The pairs of a Cookie field (RFC 6265 §4.2.1), one after the other, as they came. Pure; no allocation.
//
// Browsers write "a=1; b=2". Whatever else stands there is not judged: it belongs to the servers, and passes.
// A ';' ends a pair wherever it stands, in a quoted string too, as it does for those who set cookies (§5.2).
#pragma once

#include <string_view>

namespace breakwater::wire {

struct Cookie {
  std::string_view name;   // empty for what has no '='
  std::string_view value;  // without the blanks around it
  std::string_view raw;    // all between two ';', blanks too
};

// Takes the first pair off `rest`, which is a field's value, or what an earlier call left of it. False, and
// no pair, if `rest` is used up.
bool next_cookie(std::string_view& rest, Cookie& cookie) noexcept;

// The name of the cookie that a Set-Cookie field sets.
std::string_view name_of_set_cookie(std::string_view value) noexcept;

}  // namespace breakwater::wire
