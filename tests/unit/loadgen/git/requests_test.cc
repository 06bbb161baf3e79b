// Requests of a Git client, byte for byte as git 2.39.5 sent them to `git http-backend`. (Its
// GIT_TRACE_PACKET leaves line feeds out, and which lines have one is not to be guessed.)
#include <doctest/doctest.h>
#include <zlib.h>

#include <string>

#include "git/requests.h"

using namespace breakwater::storm;

namespace {

const ObjectId one = *ObjectId::parse("b5a053622cffb110ac8fb6e02bcc36bc357df52d");
const ObjectId two = *ObjectId::parse("349575afafa6d1551dd33ec5303157cde1e2f613");
constexpr std::string_view agent = "git/2.39.5";

// "0014command=fetch" in front of each line as the trace shows it.
std::string pkt(std::initializer_list<std::string> lines) {
  std::string all;
  for (const std::string& line : lines) {
    char length[5];
    std::snprintf(length, sizeof length, "%04zx", line.size() + 4);
    all += line == "0000" || line == "0001" ? line : length + line;
  }
  return all;
}

}  // namespace

TEST_CASE("requests: ls-refs, for a clone and for ls-remote") {
  CHECK(
      write(RefsRequest{
          .agent = agent, .hash = HashKind::sha1, .prefixes = {"HEAD", "refs/heads/", "refs/tags/"}}) ==
      pkt({"command=ls-refs\n", "agent=git/2.39.5", "object-format=sha1", "0001", "peel\n", "symrefs\n",
           "unborn\n", "ref-prefix HEAD\n", "ref-prefix refs/heads/\n", "ref-prefix refs/tags/\n", "0000"}));
  CHECK(write(RefsRequest{.agent = agent, .hash = HashKind::sha1, .prefixes = {}}).ends_with("unborn\n0000"));
}

TEST_CASE("requests: fetch by v2") {
  FetchRequest request;
  request.agent = agent;
  request.wants = {two, two, one};
  CHECK(write(request) == pkt({"command=fetch", "agent=git/2.39.5", "object-format=sha1", "0001", "thin-pack",
                               "no-progress", "ofs-delta", "want " + two.hex() + "\n",
                               "want " + two.hex() + "\n", "want " + one.hex() + "\n", "done\n", "0000"}));
  request.wants = {two};
  request.depth = 1;
  request.has_include_tag = true;
  CHECK(write(request) ==
        pkt({"command=fetch", "agent=git/2.39.5", "object-format=sha1", "0001", "thin-pack", "no-progress",
             "include-tag", "ofs-delta", "deepen 1", "want " + two.hex() + "\n", "done\n", "0000"}));
  request.depth = 0;
  request.haves = {one};
  request.is_done = false;
  CHECK(write(request) ==
        pkt({"command=fetch", "agent=git/2.39.5", "object-format=sha1", "0001", "thin-pack", "no-progress",
             "include-tag", "ofs-delta", "want " + two.hex() + "\n", "have " + one.hex() + "\n", "0000"}));
}

TEST_CASE("requests: fetch by v0") {
  FetchRequest request;
  request.version = 0;
  request.agent = agent;
  request.wants = {one, two};
  const std::string can =
      " multi_ack_detailed no-done side-band-64k thin-pack no-progress ofs-delta deepen-since "
      "deepen-not agent=git/2.39.5\n";
  CHECK(write(request) == pkt({"want " + one.hex() + can, "want " + two.hex() + "\n", "0000", "done\n"}));
  request.wants = {two};
  request.haves = {one};
  CHECK(write(request) == pkt({"want " + two.hex() + can, "0000", "have " + one.hex() + "\n", "done\n"}));
  request.is_done = false;
  CHECK(write(request) == pkt({"want " + two.hex() + can, "0000", "have " + one.hex() + "\n", "0000"}));
  request.depth = 3;
  CHECK(write(request) ==
        pkt({"want " + two.hex() + can, "deepen 3", "0000", "have " + one.hex() + "\n", "0000"}));
}

// What a server got, whole. Every one of these was sent by git for the command that is named.
TEST_CASE("requests: bodies of git's are written again") {
  const auto id = [](std::string_view hex) { return *ObjectId::parse(hex); };
  const ObjectId tip = id("adbd59f14171b6474d3ac3ebce75cb00e2c8fa43");
  const ObjectId parent = id("0145e4ce69473254a2cdf123589fcd583172592b");
  const std::string v0 =
      " multi_ack_detailed no-done side-band-64k thin-pack no-progress ofs-delta deepen-since deepen-not "
      "agent=git/2.39.5";
  FetchRequest request;
  request.agent = agent;

  SUBCASE("ls-remote, v2") {
    CHECK(write(RefsRequest{.agent = agent, .hash = HashKind::sha1, .prefixes = {}}) ==
          "0014command=ls-refs\n0014agent=git/2.39.50016object-format=sha100010009peel\n000csymrefs\n"
          "000bunborn\n0000");
  }
  SUBCASE("fetch --depth=2 in a shallow clone, v2") {
    request.wants = request.haves = request.shallow = {tip};
    request.depth = 2;
    request.is_done = false;
    CHECK(write(request) ==
          "0011command=fetch0014agent=git/2.39.50016object-format=sha10001000dthin-pack000fno-progress"
          "000dofs-delta0034shallow adbd59f14171b6474d3ac3ebce75cb00e2c8fa43000cdeepen 2"
          "0032want adbd59f14171b6474d3ac3ebce75cb00e2c8fa43\n"
          "0032have adbd59f14171b6474d3ac3ebce75cb00e2c8fa43\n0000");
  }
  SUBCASE("the same, v0, with a parent that is there") {
    request.version = 0;
    request.wants = {tip};
    request.shallow = {parent};
    request.haves = {tip, parent};
    request.depth = 2;
    CHECK(write(request) == "00a4want adbd59f14171b6474d3ac3ebce75cb00e2c8fa43" + v0 +
                                "\n0034shallow 0145e4ce69473254a2cdf123589fcd583172592b000cdeepen 20000"
                                "0032have adbd59f14171b6474d3ac3ebce75cb00e2c8fa43\n"
                                "0032have 0145e4ce69473254a2cdf123589fcd583172592b\n0009done\n");
  }
  SUBCASE("clone --filter=blob:none, v2") {
    request.wants = {tip};
    request.blobless = true;
    CHECK(write(request) ==
          "0011command=fetch0014agent=git/2.39.50016object-format=sha10001000dthin-pack000fno-progress"
          "000dofs-delta0014filter blob:none0032want adbd59f14171b6474d3ac3ebce75cb00e2c8fa43\n"
          "0009done\n0000");
  }
  SUBCASE("the same, v0") {
    request.version = 0;
    request.wants = {tip};
    request.blobless = request.server_filters = true;
    CHECK(write(request) == "00abwant adbd59f14171b6474d3ac3ebce75cb00e2c8fa43" + v0 +
                                " filter\n0014filter blob:none00000009done\n");
  }
  SUBCASE("clone --depth=1 of a repository of SHA-256, v0: its kind of hash is not named") {
    request.version = 0;
    request.hash = HashKind::sha256;
    request.wants = {id("e2ac796e7a9e756a56095bcadd3cf5050bce2bf3c2729aea200fb5428d8b1df5")};
    request.has_include_tag = true;
    request.depth = 1;
    CHECK(write(request) ==
          "00c8want e2ac796e7a9e756a56095bcadd3cf5050bce2bf3c2729aea200fb5428d8b1df5 multi_ack_detailed "
          "no-done side-band-64k thin-pack no-progress include-tag ofs-delta deepen-since deepen-not "
          "agent=git/2.39.5\n000cdeepen 100000009done\n");
  }
  SUBCASE("the same, v2") {
    request.hash = HashKind::sha256;
    request.wants = {id("e2ac796e7a9e756a56095bcadd3cf5050bce2bf3c2729aea200fb5428d8b1df5")};
    request.has_include_tag = true;
    request.depth = 1;
    CHECK(write(request) ==
          "0011command=fetch0014agent=git/2.39.50018object-format=sha2560001000dthin-pack000fno-progress"
          "000finclude-tag000dofs-delta000cdeepen 1"
          "004awant e2ac796e7a9e756a56095bcadd3cf5050bce2bf3c2729aea200fb5428d8b1df5\n0009done\n0000");
  }
  SUBCASE("push of a new branch, SHA-256") {
    const ObjectId made = id("8dd4072c727b5938dc5be15a46bcd3042ac4c10889ae28923149205e789dd766");
    ObjectId none;
    none.kind = HashKind::sha256;
    const std::string start =
        "00e20000000000000000000000000000000000000000000000000000000000000000 "
        "8dd4072c727b5938dc5be15a46bcd3042ac4c10889ae28923149205e789dd766 refs/heads/mine2";
    CHECK(
        write(PushRequest{
            .agent = agent, .hash = HashKind::sha256, .from = none, .to = made, .ref = "refs/heads/mine2"}) ==
        start + '\0' + " report-status-v2 side-band-64k quiet object-format=sha256 agent=git/2.39.50000");
  }
}

TEST_CASE("requests: a server is asked for no more than it can") {
  CHECK(write(RefsRequest{.agent = agent,
                          .hash = HashKind::sha1,
                          .prefixes = {},
                          .server_tells_unborn = false,
                          .server_names_hash = false}) ==
        pkt({"command=ls-refs\n", "agent=git/2.39.5", "0001", "peel\n", "symrefs\n", "0000"}));
  FetchRequest request;
  request.agent = agent;
  request.wants = {one};
  request.server_names_hash = false;
  CHECK(write(request).starts_with(pkt({"command=fetch", "agent=git/2.39.5", "0001"})));
}

TEST_CASE("requests: push") {
  const PushRequest request{
      .agent = agent, .hash = HashKind::sha1, .from = one, .to = two, .ref = "refs/heads/main"};
  const std::string line = one.hex() + " " + two.hex() + " refs/heads/main" + std::string(1, '\0') +
                           " report-status-v2 side-band-64k quiet object-format=sha1 agent=git/2.39.5";
  CHECK(write(request) == pkt({line, "0000"}));
}

TEST_CASE("requests: a push asks a server that has only the older report for that one") {
  const PushRequest request{.agent = agent,
                            .from = one,
                            .to = two,
                            .ref = "refs/heads/main",
                            .server_reports_v2 = false,
                            .server_quiets = false,
                            .server_names_hash = false};
  const std::string line = one.hex() + " " + two.hex() + " refs/heads/main" + std::string(1, '\0') +
                           " report-status side-band-64k agent=git/2.39.5";
  CHECK(write(request) == pkt({line, "0000"}));
}

TEST_CASE("requests: a body that is compressed is the same body") {
  const std::string body(5000, 'x');
  const std::string small = gzipped(body);
  CHECK(small.size() < 100);
  z_stream stream{};
  REQUIRE(inflateInit2(&stream, MAX_WBITS + 16) == Z_OK);
  std::string back(6000, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(small.data()));
  stream.avail_in = static_cast<uInt>(small.size());
  stream.next_out = reinterpret_cast<Bytef*>(back.data());
  stream.avail_out = static_cast<uInt>(back.size());
  CHECK(inflate(&stream, Z_FINISH) == Z_STREAM_END);
  CHECK(back.substr(0, stream.total_out) == body);
  inflateEnd(&stream);
}
