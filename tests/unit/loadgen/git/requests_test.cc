// Requests of a Git client, byte for byte as git 2.39.5 wrote them (GIT_TRACE_PACKET).
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

TEST_CASE("requests: push") {
  const PushRequest request{
      .agent = agent, .hash = HashKind::sha1, .from = one, .to = two, .ref = "refs/heads/main"};
  const std::string line = one.hex() + " " + two.hex() + " refs/heads/main" + std::string(1, '\0') +
                           " report-status-v2 side-band-64k quiet object-format=sha1 agent=git/2.39.5";
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
