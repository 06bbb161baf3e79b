// What a request is to Git, and on which repository.
#include "wire/git_service.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace breakwater::wire;

namespace {

struct Seen {
  GitOperation operation;
  std::string repository;
  int version;
  bool replayable;
};

Seen see(const std::string& method, const std::string& target, const std::string& fields = "") {
  RequestHead request;
  const std::string head = method + " " + target + " HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
  REQUIRE(parse_request(head, {}, request) == Fault::none);
  GitRequest git;
  classify(request, git);
  return {git.operation, std::string(git.repository.view()), git.protocol_version,
          is_replayable(request, git.operation)};
}

const std::string fetch_type = "Content-Type: application/x-git-upload-pack-request\r\n";

}  // namespace

TEST_CASE("requests are classified by path and content type") {
  struct Case {
    std::string method, target, fields;
    GitOperation operation;
    std::string repository;
  };
  const std::vector<Case> cases{
      {"GET", "/team/app.git/info/refs?service=git-upload-pack", "", GitOperation::advertise_fetch,
       "team/app"},
      {"GET", "/team/app/info/refs?service=git-receive-pack", "", GitOperation::advertise_push, "team/app"},
      {"GET", "/app/info/refs", "", GitOperation::dumb, "app"},
      {"POST", "/team/app.git/git-upload-pack", fetch_type, GitOperation::upload_pack, "team/app"},
      {"POST", "/team/app.git/git-upload-pack", "", GitOperation::other, ""},
      {"POST", "/team/app.git/git-receive-pack", "", GitOperation::receive_pack, "team/app"},
      {"POST", "/team/app.git/git-receive-pack?service=git-upload-pack", fetch_type,
       GitOperation::receive_pack, "team/app"},
      {"POST", "/team/app.git/%67it-receive-pack", "", GitOperation::receive_pack, "team/app"},
      {"POST", "/t/a/git-upload-archive", "", GitOperation::upload_archive, "t/a"},
      {"GET", "/t/a.git/HEAD", "", GitOperation::dumb, "t/a"},
      {"GET", "/t/a.git/objects/ab/cdef01", "", GitOperation::dumb, "t/a"},
      {"GET", "/t/a.git/objects/pack/pack-1.idx", "", GitOperation::dumb, "t/a"},
      {"POST", "/t/a.git/info/lfs/objects/batch", "", GitOperation::lfs, "t/a"},
      {"PUT", "/t/a/info/lfs/objects/basic/x", "", GitOperation::lfs, "t/a"},
      {"GET", "/user/login", "", GitOperation::other, ""},
      {"GET", "/info/refs?service=git-upload-pack", "", GitOperation::other, ""},
      {"GET", "/%zz/info/refs", "", GitOperation::other, ""},
      {"GET", "/a%0ab%20c.git/info/refs", "", GitOperation::dumb, "a%0Ab%20c"},
  };
  for (const Case& one : cases) {
    CAPTURE(one.method + " " + one.target);
    const Seen seen = see(one.method, one.target, one.fields);
    CHECK(name(seen.operation) == name(one.operation));
    CHECK(seen.repository == one.repository);
  }
}

TEST_CASE("the protocol version is found among other keys") {
  CHECK(see("GET", "/a/info/refs", "Git-Protocol: version=2\r\n").version == 2);
  CHECK(see("GET", "/a/info/refs", "Git-Protocol: x=y:version=1\r\n").version == 1);
  CHECK(see("GET", "/a/info/refs", "Git-Protocol: version=9\r\n").version == 0);
  CHECK(see("GET", "/a/info/refs").version == 0);
}

TEST_CASE("what may be sent twice: reads, and never a push") {
  CHECK(see("GET", "/x").replayable);
  CHECK(see("POST", "/a.git/git-upload-pack", fetch_type).replayable);
  CHECK_FALSE(see("POST", "/a.git/git-upload-pack").replayable);
  CHECK_FALSE(see("POST", "/a.git/git-receive-pack").replayable);
  CHECK_FALSE(see("POST", "/login").replayable);
  CHECK_FALSE(see("PUT", "/a/info/lfs/objects/x").replayable);
}
