// The library that is linked: which one it is, and that it leaves nothing in the memory that it gives back.
#include "tls/library.h"

#include <doctest/doctest.h>

#include <string>

#include "tls/wolfssl.h"

using namespace breakwater::tls;

TEST_CASE("tls library: the version that was built with is the one that runs") {
  start_library();
  const std::string text = library_text();
  CHECK(text.starts_with("wolfSSL " LIBWOLFSSL_VERSION_STRING " (running: " LIBWOLFSSL_VERSION_STRING "), "));
  // Either it is fast and says by what, or it is slow and says so.
  CHECK((text.find("assembly in use: ") != std::string::npos) == slow_library_warning().empty());
}

TEST_CASE("tls library: its memory is counted") {
  start_library();
  const int64_t before = library_bytes();
  void* const piece = wolfSSL_Malloc(1000);
  REQUIRE(piece != nullptr);
  CHECK(library_bytes() == before + 1000);
  void* const larger = wolfSSL_Realloc(piece, 3000);
  REQUIRE(larger != nullptr);
  CHECK(library_bytes() == before + 3000);
  wolfSSL_Free(larger);
  CHECK(library_bytes() == before);
}
