// What git said of its failures, as it was recorded of git 2.39.5 against the origin's faults, and what that
// is to be called.
#include <doctest/doctest.h>

#include "client/git_words.h"

using namespace breakwater::storm;

namespace {

Failure failure_of(std::string_view text) {
  return read_git_complaint(text).failure;
}

}  // namespace

TEST_CASE("git's words: a pack that ends early, whatever ended it") {
  const GitComplaint complaint = read_git_complaint(
      "error: RPC failed; curl 56 Recv failure: Connection reset by peer\n"
      "error: 62324 bytes of body are still expected\n"
      "fetch-pack: unexpected disconnect while reading sideband packet\n"
      "fatal: early EOF\nfatal: fetch-pack: invalid index-pack output\n");
  CHECK(complaint.failure == Failure::truncated);
  CHECK(complaint.words == "error: 62324 bytes of body are still expected");
  CHECK(failure_of("fetch-pack: unexpected disconnect while reading sideband packet\nfatal: early EOF\n") ==
        Failure::truncated);
  CHECK(failure_of("error: RPC failed; curl 18 transfer closed with outstanding read data remaining\n") ==
        Failure::truncated);
}

TEST_CASE("git's words: what a server says itself") {
  const GitComplaint complaint = read_git_complaint(
      "remote: a fault on cue\nfatal: unable to access 'http://127.0.0.1:1/a.git/': The requested URL "
      "returned "
      "error: 503\n");
  CHECK(complaint.failure == Failure::status);
  CHECK(complaint.status == 503);
  CHECK(failure_of("fatal: repository 'http://127.0.0.1:1/a.git/' not found\n") == Failure::status);
  CHECK(failure_of("fatal: Authentication failed for 'http://127.0.0.1:1/a.git/'\n") == Failure::status);
  CHECK(read_git_complaint("fatal: remote error: no such thing\n").words ==
        "fatal: remote error: no such thing");
  CHECK(failure_of("fatal: remote error: no such thing\n") == Failure::error);
  CHECK(failure_of(
            "remote: a fault on cue\n\nfatal: early EOF\nfatal: fetch-pack: invalid index-pack output\n") ==
        Failure::sideband);
}

TEST_CASE("git's words: connections, certificates, time") {
  CHECK(
      failure_of("fatal: unable to access 'http://127.0.0.1:1/x.git/': Failed to connect to 127.0.0.1 port 1 "
                 "after 0 ms: Couldn't connect to server\n") == Failure::connect);
  CHECK(failure_of("fatal: unable to access 'http://no.invalid/': Could not resolve host: no.invalid\n") ==
        Failure::connect);
  CHECK(
      failure_of("fatal: unable to access 'https://a/': SSL certificate problem: unable to get local issuer "
                 "certificate\n") == Failure::tls);
  CHECK(failure_of(
            "error: RPC failed; curl 28 Operation too slow. Less than 1 bytes/sec transferred the last 1 "
            "seconds\nfatal: early EOF\n") == Failure::stalled);
  CHECK(failure_of("fatal: unable to access 'http://a/': Empty reply from server\n") == Failure::http);
}

TEST_CASE("git's words: a pack that is wrong, and what nobody knows") {
  const GitComplaint complaint = read_git_complaint(
      "error: inflate: data stream error (incorrect data check)\n"
      "fatal: pack has bad object at offset 13791: inflate returned -3\nfatal: fetch-pack: invalid "
      "index-pack "
      "output\n");
  CHECK(complaint.failure == Failure::corrupt);
  CHECK(read_git_complaint("").failure == Failure::git);
  CHECK(read_git_complaint("one\ntwo\n\n").words == "two");
}
