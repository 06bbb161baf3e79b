// What the origin is asked: requests for packs, faults on cue, its command line.
#include <doctest/doctest.h>

#include "origin/faults.h"
#include "origin/fetch_ask.h"
#include "origin/listen_address.h"
#include "origin/options.h"

using namespace breakwater::storm::origin;

namespace {

const std::string id(40, 'a'), other(40, 'b');

std::string line(const std::string& text) {
  constexpr char digits[] = "0123456789abcdef";
  const size_t bytes = text.size() + 4;
  return std::string("0") + digits[bytes >> 8 & 15] + digits[bytes >> 4 & 15] + digits[bytes & 15] + text;
}

template <size_t count>
std::expected<Options, std::string> read(const char* const (&words)[count]) {
  return read_options(static_cast<int>(count), words);
}

}  // namespace

TEST_CASE("fetch: a request of protocol v0") {
  const std::string body =
      line("want " + id + " multi_ack_detailed no-done side-band-64k no-progress include-tag\n") +
      line("want " + other + "\n") + line("shallow " + id + "\n") + line("deepen 3\n") +
      line("filter blob:none\n") + "0000" + line("have " + other + "\n") + line("done\n");
  const FetchAsk ask = read_fetch_request(body);
  CHECK(ask.error == "");
  CHECK(ask.request.wants.size() == 2);
  CHECK(ask.request.haves.size() == 1);
  CHECK(ask.request.shallow.size() == 1);
  CHECK(ask.request.depth == 3);
  CHECK(ask.request.include_tags);
  CHECK(ask.request.filter.blob_bytes_below == 0);
  CHECK(ask.is_done);
  CHECK(ask.no_done);
  CHECK_FALSE(ask.wants_progress);
  CHECK(ask.acknowledge == Acknowledge::detailed);
  CHECK(ask.packet_bytes == 65520);
  CHECK(read_fetch_request("0000").is_empty);
  CHECK(read_fetch_request(body.substr(0, body.size() - 1)).error != "");
}

TEST_CASE("fetch: a command of protocol v2") {
  const std::string body = line("command=fetch") + line("agent=git/0001") + "0001" +
                           line("want " + id + "\n") + line("filter tree:2") + line("done\n") + "0000";
  const Command command = read_command(body);
  CHECK(command.name == "fetch");
  const FetchAsk ask = read_fetch_arguments(command.arguments);
  CHECK(ask.error == "");
  CHECK(ask.request.wants.size() == 1);
  CHECK(ask.request.filter.depth_below == 2);
  CHECK(ask.is_done);
  CHECK(read_fetch_arguments("0000").error != "");
  CHECK(read_fetch_arguments(line("want x") + "0000").error != "");
  CHECK(read_fetch_arguments(line("want " + id) + line("deepen-since 5") + "0000").error != "");
}

TEST_CASE("faults: in the share that was ordered, and no more than were ordered") {
  Faults faults;
  CHECK_FALSE(faults.choose("r", Place::pack));
  REQUIRE(faults.add("kind=flip&share=0.25&seed=5"));
  uint32_t hit = 0;
  for (int number = 0; number < 4000; number++) {
    CHECK_FALSE(faults.choose("r", Place::refs));
    hit += faults.choose("r", Place::pack).has_value();
  }
  CHECK(hit > 900);
  CHECK(hit < 1100);
  faults.clear();
  REQUIRE(faults.add("kind=reset&count=3&repository=a.git&after=10KiB"));
  hit = 0;
  for (int number = 0; number < 10; number++) {
    CHECK_FALSE(faults.choose("b.git", Place::pack));
    const std::optional<Fault> fault = faults.choose("a.git", Place::pack);
    if (fault) CHECK(fault->after == 10 * 1024);
    hit += fault.has_value();
  }
  CHECK(hit == 3);
  for (const char* const wrong :
       {"", "kind=", "share=1", "kind=reset&share=2", "kind=reset&x=1", "kind=slow&rate=0"})
    CHECK_FALSE(faults.add(wrong));
}

TEST_CASE("faults: their kinds could not be found: the help has them, and so has what is said of another") {
  Faults faults;
  const std::string help = usage();
  for (uint8_t kind = 0; kind <= static_cast<uint8_t>(FaultKind::flip); kind++)
    CHECK(help.find("\n  " + std::string(name(static_cast<FaultKind>(kind))) + "  ") != std::string::npos);
  CHECK(help.find("  flip                    one bit of the pack is wrong\n") != std::string::npos);
  const std::string kinds = "slow, hang, reset, error, busy, truncate, err, sideband, stale or flip";
  CHECK(faults.add("kind=bogus").error() == "'kind=bogus' is not understood: it is " + kinds);
  CHECK(faults.add("share=1").error() == "kind= is missing: it is " + kinds);
  CHECK(faults.add("kind=flip&on=x").error() == "'on=x' is not understood: it is refs, pack, push or any");
  CHECK(faults.add("kind=flip&share=2").error() ==
        "'share=2' is not understood: it takes 0 to 1, like 0.001");
  CHECK(faults.add("kind=flip&what=1").error() ==
        "'what=1' is not understood: keys are kind, on, repository, share, count, seed, status, retry_after, "
        "after and rate");
}

TEST_CASE("options: all of them, in both forms, and why not") {
  const auto options =
      read({"origin", "--listen=127.0.0.1:1", "--pack", "2MiB", "--refs", "7", "--rate=1MiB/s", "--compute",
            "250ms", "--framing", "go", "--repositories=3", "--allow-push"});
  REQUIRE(options);
  CHECK(options->listen == "127.0.0.1:1");
  CHECK(options->content.pack_bytes == 2 * 1024 * 1024);
  CHECK(options->content.refs == 7);
  CHECK(options->rate == 1024 * 1024);
  CHECK(options->compute.count() == 250);
  CHECK(options->framing == Framing::go);
  CHECK(options->repositories == 3);
  CHECK(options->allow_push);
  CHECK(read({"origin"}));
  CHECK_FALSE(read({"origin", "--pack"}));
  CHECK_FALSE(read({"origin", "--refs", "0"}));
  CHECK_FALSE(read({"origin", "--framing", "iis"}));
  CHECK_FALSE(read({"origin", "--user", "ada"}));
  CHECK_FALSE(read({"origin", "--what", "1"}));
}

TEST_CASE("options: where to listen") {
  breakwater::Address address;
  std::string why;
  CHECK(read_listen_address("[::1]:80", address, why));
  CHECK(address.text() == "[::1]:80");
  for (const char* const wrong : {"", "80", ":80", "localhost:80", "127.0.0.1:", "127.0.0.1:x"})
    CHECK_FALSE(read_listen_address(wrong, address, why));
}
