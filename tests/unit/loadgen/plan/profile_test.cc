// Request heads, byte for byte as git 2.39.5 with libcurl 7.88.1 sent them (GIT_TRACE_CURL).
#include <doctest/doctest.h>

#include <array>
#include <string>
#include <string_view>

#include "plan/basic_authorization.h"
#include "plan/profile.h"

using namespace breakwater::storm;

namespace {

std::string head(Client client, RequestKind kind, RequestParts parts) {
  parts.authority = "127.0.0.1:18099";
  parts.path = "/app.git";
  std::array<char, request_head_bytes_max> out;
  return {out.data(), write_request_head(profile_of(client), kind, parts, out)};
}

constexpr std::string_view get_refs =
    "GET /app.git/info/refs?service=git-upload-pack HTTP/1.1\r\nHost: 127.0.0.1:18099\r\nUser-Agent: "
    "git/2.39.5\r\n"
    "Accept: */*\r\nAccept-Encoding: deflate, gzip, br, zstd\r\nAccept-Language: C, *;q=0.9\r\nPragma: "
    "no-cache\r\n"
    "Git-Protocol: version=2\r\n\r\n";
constexpr std::string_view post_fetch =
    "POST /app.git/git-upload-pack HTTP/1.1\r\nHost: 127.0.0.1:18099\r\nUser-Agent: git/2.39.5\r\n"
    "Accept-Encoding: deflate, gzip, br, zstd\r\nContent-Type: application/x-git-upload-pack-request\r\n"
    "Accept: application/x-git-upload-pack-result\r\nAccept-Language: C, *;q=0.9\r\nGit-Protocol: "
    "version=2\r\n"
    "Content-Length: 175\r\n\r\n";
constexpr std::string_view post_push =
    "POST /app.git/git-receive-pack HTTP/1.1\r\nHost: 127.0.0.1:18099\r\nUser-Agent: git/2.39.5\r\n"
    "Accept-Encoding: deflate, gzip, br, zstd\r\nTransfer-Encoding: chunked\r\n"
    "Content-Type: application/x-git-receive-pack-request\r\nAccept: "
    "application/x-git-receive-pack-result\r\n"
    "Accept-Language: C, *;q=0.9\r\n\r\n";

}  // namespace

TEST_CASE("profile: git's heads") {
  CHECK(head(Client::git, RequestKind::fetch_refs, {}) == get_refs);
  CHECK(head(Client::git, RequestKind::upload_pack, {.body_bytes = 175}) == post_fetch);
  CHECK(head(Client::git, RequestKind::receive_pack, {.protocol = 0, .chunked = true}) == post_push);
  CHECK(head(Client::git, RequestKind::push_probe, {.body_bytes = 4})
            .ends_with("-result\r\nContent-Length: 4\r\n\r\n"));
  CHECK(head(Client::git, RequestKind::fetch_refs, {.protocol = 0}).find("Git-Protocol") ==
        std::string::npos);
}

TEST_CASE("profile: the path of an LFS object is the server's, and not behind the repository's again") {
  CHECK(head(Client::git, RequestKind::lfs_object, {.rest = "/app.git/info/lfs/objects/abc"})
            .starts_with("GET /app.git/info/lfs/objects/abc HTTP/1.1\r\n"));
  CHECK(head(Client::git, RequestKind::lfs_batch, {})
            .starts_with("POST /app.git/info/lfs/objects/batch HTTP/1.1\r\n"));
}

TEST_CASE("profile: credentials are where curl has them, or where the user's own field is") {
  const RequestParts parts{.authorization = "Basic eDp5"};
  CHECK(head(Client::git, RequestKind::fetch_refs, parts)
            .find("Host: 127.0.0.1:18099\r\nAuthorization: Basic eDp5\r\nUser-Agent") != std::string::npos);
  CHECK(head(Client::actions_checkout, RequestKind::fetch_refs, parts)
            .find("zstd\r\nAuthorization: Basic eDp5\r\nAccept-Language") != std::string::npos);
}

TEST_CASE("profile: a head that has no room is none") {
  std::array<char, 100> out;
  CHECK(write_request_head(profile_of(Client::git), RequestKind::fetch_refs, {.authority = "a", .path = "/b"},
                           out) == 0);
}

TEST_CASE("profile: each has its name, and is where its client is looked for") {
  for (const Profile& each : profiles()) {
    CHECK(profile_named(each.name) == &each);
    CHECK(&profile_of(each.client) == &each);
  }
  CHECK(profile_named("svn") == nullptr);
}

TEST_CASE("profile: what git asks ls-refs for") {
  const Profile& git = profile_of(Client::git);
  using Prefixes = std::vector<std::string>;
  CHECK(ref_prefixes(git, {.verb = Verb::clone}) == Prefixes{"HEAD", "refs/heads/", "refs/tags/"});
  CHECK(ref_prefixes(git, {.verb = Verb::ls_remote}).empty());
  CHECK(ref_prefixes(profile_of(Client::jenkins_poll), {.verb = Verb::ls_remote}) == Prefixes{"refs/heads/"});
  CHECK(ref_prefixes(git, {.verb = Verb::fetch, .ref = "refs/heads/main"}) ==
        Prefixes{"refs/heads/main", "refs/tags/"});
  CHECK_FALSE(asks_refs(git, {.verb = Verb::fetch_object}));
  CHECK(includes_tag(git, {.verb = Verb::clone, .depth = 1}));
  CHECK_FALSE(includes_tag(git, {.verb = Verb::clone}));
}

TEST_CASE("profile: what Basic authentication sends (RFC 7617 section 2)") {
  CHECK(basic_authorization("Aladdin", "open sesame") == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
  CHECK(basic_authorization("a", "") == "Basic YTo=");
  CHECK(basic_authorization("a", "b") == "Basic YTpi");
  CHECK(basic_authorization("", "b") == "");
}
