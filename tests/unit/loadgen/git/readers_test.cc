// Readers of Git servers' answers, on what git 2.39.5 really said (tests/fuzz/corpus/storm_git).
#include <doctest/doctest.h>

#include <filesystem>
#include <string>

#include "git_readers.h"
#include "recordings.h"

using namespace breakwater::storm;

namespace {

const std::string tip_text = "349575afafa6d1551dd33ec5303157cde1e2f613";
const std::string old_text = "b5a053622cffb110ac8fb6e02bcc36bc357df52d";
const ObjectId tip = *ObjectId::parse(tip_text);

Reading reading_of(const std::string& name, size_t piece = 0, const ObjectId& wanted = tip) {
  const std::string bytes = recorded(name);
  return read(bytes[0], std::string_view(bytes).substr(1), piece, wanted);
}

}  // namespace

TEST_CASE("readers: an advertisement by each version of the protocol") {
  for (const char* const name : {"adv_v0", "adv_v1"}) {
    const Reading reading = reading_of(name);
    CHECK(reading.done);
    CHECK(reading.refs.find("HEAD " + tip_text) != std::string::npos);
    CHECK(reading.refs.find("refs/heads/main " + tip_text) != std::string::npos);
    CHECK(reading.refs.find("refs/tags/v1^{} " + old_text) != std::string::npos);
  }
  const Reading v2 = reading_of("adv_v2");
  CHECK(v2.done);
  CHECK(v2.refs.empty());
  CHECK(reading_of("adv_empty").done);
  CHECK(reading_of("adv_push").done);
}

TEST_CASE("readers: capabilities") {
  const std::string bytes = recorded("adv_v2");
  AdvertisementReader v2(nullptr, nullptr);
  v2.take(std::string_view(bytes).substr(1));
  CHECK(v2.version() == 2);
  CHECK(v2.capabilities().has_feature("fetch", "shallow"));
  CHECK_FALSE(v2.capabilities().has_feature("fetch", "filter"));
  CHECK_FALSE(v2.capabilities().has("fetc"));
  const std::string first = recorded("adv_v0");
  AdvertisementReader v0(nullptr, nullptr);
  v0.take(std::string_view(first).substr(1));
  CHECK(v0.version() == 0);
  CHECK(v0.capabilities().head_target() == "refs/heads/main");
  CHECK(v0.capabilities().has("no-done"));
  CHECK(v0.capabilities().find("object-format") == "sha1");
}

TEST_CASE("readers: the refs of v2 with what HEAD leads to") {
  const Reading reading = reading_of("ls_refs");
  CHECK(reading.done);
  CHECK(reading.refs.find("HEAD " + tip_text + " refs/heads/main\n") == 0);
  CHECK(reading.refs.find("refs/tags/v1 ") != std::string::npos);
}

TEST_CASE("readers: a pack is whole, of the size it says, and has what was asked for") {
  struct Case {
    const char* name;
    uint32_t objects;
    size_t common;
  };
  for (const Case& each : {Case{"v2_clone", 12, 0},
                           {"v0_clone", 12, 0},
                           {"v2_depth", 6, 0},
                           {"v0_depth", 6, 0},
                           {"v2_fetch", 3, 1},
                           {"v0_fetch", 3, 1}}) {
    CAPTURE(each.name);
    const Reading reading = reading_of(each.name);
    CHECK(reading.text == "");
    CHECK(reading.done);
    CHECK(reading.objects == each.objects);
    CHECK(reading.common == each.common);
    CHECK(reading.tip == PackCheck::Tip::seen);
    CHECK(reading.pack.starts_with("PACK"));
  }
}

TEST_CASE("readers: nothing in common needs another round") {
  for (const char* const name : {"v2_nothing_common", "v0_nothing_common"}) {
    const Reading reading = reading_of(name);
    CHECK(reading.fault == GitFault::none);
    CHECK_FALSE(reading.done);
    CHECK(reading.common == 0);
  }
}

TEST_CASE("readers: a pack without the commit that was asked for is corrupt") {
  const ObjectId other = *ObjectId::parse(std::string(40, '7'));
  const Reading reading = reading_of("v2_depth", 0, other);
  CHECK(reading.fault == GitFault::corrupt);
  CHECK(reading.text == "the pack is without what was asked for");
}

TEST_CASE("readers: in pieces they read the same") {
  for (const auto& file : std::filesystem::directory_iterator(RECORDED_GIT)) {
    const std::string name = file.path().filename();
    const Reading whole = reading_of(name);
    for (const size_t piece : {1, 2, 3, 5, 7, 64, 100}) {
      CAPTURE(name);
      CAPTURE(piece);
      if (whole.fault == GitFault::sideband)
        CHECK(reading_of(name, piece).fault == GitFault::sideband);
      else
        CHECK(reading_of(name, piece) == whole);
    }
  }
}

TEST_CASE("readers: an answer that is cut anywhere is never taken for whole") {
  for (const char* const name : {"adv_v0", "adv_v1", "adv_v2", "ls_refs", "v2_clone", "v0_clone", "v2_depth",
                                 "v0_depth", "v2_fetch", "v0_fetch", "push_taken"}) {
    const std::string bytes = recorded(name);
    for (size_t size = 0; size + 1 < bytes.size(); ++size) {
      CAPTURE(name);
      CAPTURE(size);
      const Reading reading = read(bytes[0], std::string_view(bytes).substr(1, size), 0, tip);
      CHECK_FALSE(reading.done);
      // Of a negotiation by v0 an end between two lines is a round that needs another.
      if (reading.fault != GitFault::truncated) CHECK(std::string_view(name) == "v0_fetch");
    }
  }
}

TEST_CASE("readers: a byte that is wrong is noticed wherever it is") {
  for (const char* const name : {"v2_clone", "v0_clone", "v2_depth", "v2_fetch"}) {
    const std::string bytes = recorded(name);
    const Reading whole = reading_of(name);
    for (size_t at = 1; at < bytes.size(); ++at) {
      for (int bit = 0; bit < 8; ++bit) {
        std::string wrong = bytes;
        wrong[at] = static_cast<char>(wrong[at] ^ 1 << bit);
        const Reading reading = read(wrong[0], std::string_view(wrong).substr(1), 0, tip);
        CAPTURE(name);
        CAPTURE(at);
        // What is left are bytes that don't matter: hex digits in capitals, what servers have in common with
        // us.
        CHECK((!reading.done || reading.pack == whole.pack));
      }
    }
  }
}

TEST_CASE("readers: what servers refuse is told with their words") {
  const Reading error = reading_of("error");
  CHECK(error.fault == GitFault::error);
  CHECK(error.text == "access denied or repository not exported: /x");
  const Reading band = reading_of("band_3");
  CHECK(band.fault == GitFault::sideband);
  CHECK(band.text == "fatal: out of memory ");
  const Reading push = reading_of("push_refused");
  CHECK(push.fault == GitFault::refused);
  CHECK(push.text == "refs/heads/main non-fast-forward");
  CHECK(reading_of("push_taken").done);
}

TEST_CASE("readers: what an LFS batch gives") {
  const Reading reading = reading_of("lfs");
  CHECK(reading.done);
  CHECK(reading.refs == "http://127.0.0.1/x\n");
  CHECK(read('l', "{\"objects\":[{\"oid\":\"a\",\"size\":1,\"error\":{\"code\":404,\"message\":\"gone\"}}]}")
            .text == "object a: gone");
  CHECK(read('l', "[]").text == "no JSON with a list of objects");
}

// As git-lfs 3.4 sent it, but for the object.
TEST_CASE("readers: an LFS batch is asked for as git-lfs does it") {
  CHECK(
      write_lfs_batch({{"ab", 12}}, "refs/heads/main") ==
      R"({"operation":"download","objects":[{"oid":"ab","size":12}],)"
      R"("transfers":["lfs-standalone-file","basic","ssh"],"ref":{"name":"refs/heads/main"},"hash_algo":"sha256"})");
}

TEST_CASE("readers: nothing out of an LFS batch can begin a second line of a request") {
  const auto answer = [](std::string_view href, std::string_view name, std::string_view value) {
    return std::string(R"({"objects":[{"oid":"a","size":1,"actions":{"download":{"href":")") +
           std::string(href) + R"(","header":{")" + std::string(name) + R"(":")" + std::string(value) +
           R"("}}}}]})";
  };
  CHECK(read('l', answer("/a", "Authorization", "Bearer a b")).done);
  for (const std::string& wrong :
       {answer(R"(/a HTTP/1.1\r\nX: y)", "A", "b"), answer("/a b", "A", "b"), answer(R"(/a\u0000)", "A", "b"),
        answer("/a", R"(A: b\r\nC)", "b"), answer("/a", "A", R"(b\nC: d)")})
    CHECK(read('l', wrong).text == "an address or a field that no request can have");
}
