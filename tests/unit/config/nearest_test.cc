// Suggestions: the nearest known name for a mistyped one, and none where nothing is near.
#include "config/nearest.h"

#include <doctest/doctest.h>

#include <string>

using breakwater::config::nearest;

TEST_CASE("nearest: finds the name that was meant, and doesn't guess wildly") {
  constexpr std::string_view keys[] = {"head", "idle", "server_idle", "keep_alive", "connect"};
  CHECK(nearest("idel", keys) == "idle");
  CHECK(nearest("IDLE", keys) == "idle");
  CHECK(nearest("idle_", keys) == "idle");
  CHECK(nearest("keepalive", keys) == "keep_alive");
  CHECK(nearest("server-idle", keys) == "server_idle");
  CHECK(nearest("conect", keys) == "connect");
  CHECK(nearest("tls", keys) == "");
  CHECK(nearest("", keys) == "");
  CHECK(nearest("x", keys) == "");
  CHECK(nearest(std::string(65, 'a'), keys) == "");
  CHECK(nearest("idle", {}) == "");
}
