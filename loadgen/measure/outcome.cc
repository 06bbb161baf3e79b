#include "measure/outcome.h"

#include <iterator>

namespace breakwater::storm {

namespace {

struct Words {
  std::string_view name, sentence;
};

constexpr Words of_failures[] = {
    {"none", "nothing"},
    {"connect", "no connection could be made"},
    {"tls", "no TLS handshake, or a certificate that is not the server's"},
    {"http", "no HTTP that can be read, or a connection that broke before an answer"},
    {"status", "another status than 200"},
    {"refused", "the server says that it is too busy (Retry-After)"},
    {"error", "an ERR line of Git's"},
    {"sideband", "a fatal message of Git's on band 3"},
    {"git", "an answer that is not Git's, or a push that was not taken"},
    {"truncated", "an end before the end"},
    {"corrupt", "a pack that is not what it says, or without what was asked for"},
    {"stalled", "not a byte for too long"},
    {"timed_out", "longer than a whole try may take, or still under way at the end"},
    {"local", "a want of the generator's own: descriptors or memory"},
};
static_assert(std::size(of_failures) == failures);

constexpr std::string_view of_phases[] = {"connect", "tls",        "challenge",  "advertisement",
                                          "refs",    "first_byte", "first_pack", "done"};
static_assert(std::size(of_phases) == phases);

}  // namespace

std::string_view name(Failure failure) noexcept {
  return of_failures[static_cast<size_t>(failure)].name;
}

std::string_view explain(Failure failure) noexcept {
  return of_failures[static_cast<size_t>(failure)].sentence;
}

std::string_view name(Phase phase) noexcept {
  return of_phases[static_cast<size_t>(phase)];
}

}  // namespace breakwater::storm
