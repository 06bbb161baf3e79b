// How a call of an Engine's, or of Records', ended.
#pragma once

#include <cstdint>

namespace breakwater::tls {

enum class Step : uint8_t {
  done,         // with what was asked for
  wants_input,  // all of `in` that could be used was, and more must come
  wants_room,   // `out`, or the place for data, is full; what is in `out` is to be sent first
  closed,       // the other side said that no more data comes (close_notify)
  failed,       // see fault(); `out` may hold an alert, to be sent before the end
};

}  // namespace breakwater::tls
