// The commands of a push are read, or none of them.
#include "origin/push_ask.h"

#include <doctest/doctest.h>

#include <string>

#include "git/append_line.h"
#include "git/requests.h"

using namespace breakwater::storm;
using namespace breakwater::storm::origin;

namespace {

const std::string zero(40, '0'), one(40, 'a'), two(40, 'b');

std::string line(const std::string& text) {
  std::string packet;
  append_line(packet, text);
  return packet;
}

std::string command(const std::string& name) {
  return line(one + " " + two + " " + name);
}

}  // namespace

TEST_CASE("push: what git writes is read") {
  PushRequest request{
      .agent = "git/2.39.5", .from = {}, .to = *ObjectId::parse(one), .ref = "refs/heads/new"};
  const std::string body = write(request) + "PACK...";
  const auto push = read_push_ask(body);
  REQUIRE(push);
  REQUIRE(push->updates.size() == 1);
  CHECK(push->updates[0].name == "refs/heads/new");
  CHECK(push->updates[0].old_id.is_zero());
  CHECK(push->updates[0].new_id.hex() == one);
  CHECK(push->has_sideband);
  CHECK(push->pack == "PACK...");
  request.server_reports_v2 = false;
  CHECK(read_push_ask(write(request))->reports);
}

TEST_CASE("push: a ref is made, one moves, one goes; the ends of a shallow history stand before them") {
  const auto push = read_push_ask(
      line("shallow " + two) +
      line(zero + " " + one + " refs/heads/a" + std::string(1, '\0') + " report-status side-band-64k\n") +
      line(one + " " + two + " refs/heads/b\n") + line(two + " " + zero + " refs/tags/c") + "0000");
  REQUIRE(push);
  REQUIRE(push->updates.size() == 3);
  CHECK(push->updates[1].old_id.hex() == one);
  CHECK(push->updates[2].name == "refs/tags/c");
  CHECK(push->updates[2].new_id.is_zero());
  CHECK(push->reports);
  CHECK(push->has_sideband);
  CHECK(push->pack.empty());
}

TEST_CASE("push: a capability is a whole word, and a later list takes none back") {
  const auto with = [](const std::string& capabilities) {
    return read_push_ask(line(one + " " + two + " refs/heads/a" + std::string(1, '\0') + capabilities) +
                         line(one + " " + two + " refs/heads/b" + std::string(1, '\0')) + "0000");
  };
  CHECK(with("report-status")->reports);
  CHECK(with("quiet report-status side-band-64k")->has_sideband);
  CHECK_FALSE(with("report-status-v2 no-report-status")->reports);
  CHECK_FALSE(with("side-band-64kb x-side-band-64k")->has_sideband);
}

TEST_CASE("push: a list that is malformed, too long or has no end is none") {
  CHECK(read_push_ask(command("refs/heads/a") + "0000"));
  for (const std::string& wrong :
       {std::string(), command("refs/heads/a"), command("refs/heads/a") + "000",
        command("refs/heads/a") + "0001", "zzzz" + command("refs/heads/a") + "0000",
        line("refs/heads/a") + "0000", line("") + "0000", line(one + " " + two + " ") + "0000",
        line(one + " " + two) + "0000", line(one + "  " + two + " refs/heads/a") + "0000",
        line(std::string(40, 'A') + " " + two + " a/b") + "0000", line("shallow " + one.substr(1)) + "0000",
        line("shallow " + one + "a") + "0000",
        line(std::string(64, 'a') + " " + std::string(64, 'b') + " refs/heads/a") + "0000"}) {
    CAPTURE(wrong);
    CHECK_FALSE(read_push_ask(wrong));
  }
  std::string many;
  for (size_t number = 0; number < push_updates_max; number++) many += command("refs/heads/a");
  CHECK(read_push_ask(many + "0000"));
  CHECK_FALSE(read_push_ask(many + command("refs/heads/a") + "0000"));
}

TEST_CASE("push: what no ref can be called is no name") {
  for (const std::string good :
       {"refs/heads/a", "HEAD", "refs/heads/\xc3\xa9", "refs/heads/a.b", "refs/heads/@", "refs/heads/a@b",
        "refs/heads/a.lock.b", "refs/heads/lock", "-"}) {
    CAPTURE(good);
    CHECK(read_push_ask(command(good) + "0000"));
  }
  for (const std::string wrong :
       {"@",    "/",      "/a",       "a/",   "a//b", ".a",   "a/.b",     "a.",   "a/b.",
        "a..b", "a.lock", "a.lock/b", "a b",  "a@{b", "a~1",  "a^",       "a:b",  "a?",
        "a*",   "a[b",    "a\\b",     "a\nb", "a\rb", "a\tb", "a\x1b[2J", "a\x7f"}) {
    CAPTURE(wrong);
    CHECK_FALSE(read_push_ask(command(wrong) + "0000"));
  }
}
