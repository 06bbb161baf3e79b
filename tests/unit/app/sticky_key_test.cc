// The values of sticky cookies: the same for the same key and names, and another for everything else.
#include "app/sticky_key.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <set>

using namespace breakwater;
using app::StickyKey;

namespace {

class KeyFile {
 public:
  explicit KeyFile(const std::string& content) {
    const int fd = mkstemp(path_.data());
    REQUIRE(fd >= 0);
    close(fd);
    std::ofstream(path_) << content;
  }
  ~KeyFile() { unlink(path_.c_str()); }
  config::Sticky sticky() const {
    config::Sticky sticky;
    sticky.cookie = "SERVERID";
    sticky.key_file = path_;
    return sticky;
  }

 private:
  std::string path_ = "/tmp/breakwater-sticky-XXXXXX";
};

StickyKey made(const config::Sticky& sticky) {
  std::string why;
  auto key = StickyKey::make(sticky, why);
  REQUIRE_MESSAGE(key.has_value(), why);
  return *key;
}

std::string why_not(const config::Sticky& sticky) {
  std::string why;
  CHECK_FALSE(StickyKey::make(sticky, why).has_value());
  return why;
}

}  // namespace

TEST_CASE("sticky key: a file gives the same values on every node, whatever ends its line") {
  const KeyFile one("0123456789abcdef"), again("0123456789abcdef\n"), other("0123456789abcdeg");
  const std::string value = made(one.sticky()).value_for("gogs", "10.0.0.11:3000");
  // HMAC-SHA-256 of "breakwater sticky\0gogs\0" "10.0.0.11:3000", its first 16 bytes, by another program.
  CHECK(value == "_xvCxwC8P2DfJgj3UhmWhA");
  CHECK(made(again.sticky()).value_for("gogs", "10.0.0.11:3000") == value);
  CHECK(made(other.sticky()).value_for("gogs", "10.0.0.11:3000") != value);
}

TEST_CASE("sticky key: pools and servers have values of their own, which name neither") {
  const KeyFile file("0123456789abcdef");
  const StickyKey key = made(file.sticky());
  std::set<std::string> values;
  for (const std::string pool : {"a", "ab", "b"})
    for (const std::string server : {"10.0.0.1:80", "b10.0.0.1:80", "10.0.0.2:80"}) {
      const std::string value = key.value_for(pool, server);
      CHECK(value.size() == 22);
      CHECK(value.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") ==
            std::string::npos);
      values.insert(value);
    }
  CHECK(values.size() == 9);
}

TEST_CASE("sticky key: without a file each start has another") {
  const config::Sticky sticky;
  CHECK(made(sticky).value_for("a", "b") != made(sticky).value_for("a", "b"));
}

TEST_CASE("sticky key: a file that is missing, or too short, or too long") {
  const KeyFile little("0123456789abcde\n\n"), much(std::string(4097, 'x')), most(std::string(4096, 'x'));
  CHECK(why_not(little.sticky()).find("must have 16 to 4096 bytes") != std::string::npos);
  CHECK(why_not(much.sticky()).find("must have 16 to 4096 bytes") != std::string::npos);
  made(most.sticky());
  config::Sticky missing;
  missing.key_file = "/nonexistent/key";
  CHECK(why_not(missing).find("can't be read: No such file") != std::string::npos);
}
