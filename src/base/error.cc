#include "base/error.h"

namespace breakwater {

std::string_view name(Side side) noexcept {
  switch (side) {
    case Side::internal:
      return "proxy";
    case Side::downstream:
      return "client";
    case Side::upstream:
      return "server";
  }
  return "?";
}

std::string_view name(Code code) noexcept {
  switch (code) {
    case Code::none:
      return "none";
    case Code::closed:
      return "closed";
    case Code::reset:
      return "reset";
    case Code::refused:
      return "refused";
    case Code::timed_out:
      return "timed_out";
    case Code::malformed:
      return "malformed";
    case Code::too_large:
      return "too_large";
    case Code::truncated:
      return "truncated";
    case Code::no_buffers:
      return "no_buffers";
    case Code::no_descriptors:
      return "no_descriptors";
    case Code::failed:
      return "failed";
    case Code::differs:
      return "differs";
    case Code::cancelled:
      return "cancelled";
  }
  return "?";
}

}  // namespace breakwater
