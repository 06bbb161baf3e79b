#include "backends/probe_failure.h"

#include <cstring>

namespace breakwater::backends {

namespace {

// strerror() may not be called by two threads at once.
std::string error_text(uint16_t number) {
  const char* const text = strerrordesc_np(number);
  return text == nullptr ? "error " + std::to_string(number) : text;
}

}  // namespace

std::string ProbeFailure::text() const {
  switch (why) {
    case Why::none:
      return "";
    case Why::no_connection:
      return "no connection: " + error_text(number);
    case Why::late_connection:
      return "no connection in time";
    case Why::late_answer:
      return "no answer in time";
    case Why::closed:
      return "closed before its answer was there";
    case Why::broke:
      return "the connection broke: " + error_text(number);
    case Why::tls:
      return "TLS failed";
    case Why::not_http:
      return "the answer is no HTTP";
    case Why::too_large:
      return "the head of the answer is too large";
    case Why::status:
      return "status " + std::to_string(number);
    case Why::not_git:
      return "the answer is not Git's";
    case Why::git_error:
      return "Git answered with an error";
    case Why::git_empty:
      return "Git ended before it advertised anything";
  }
  return "";
}

}  // namespace breakwater::backends
