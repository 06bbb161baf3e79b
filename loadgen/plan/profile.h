// What each client really sends, as data: the fields of its requests in their order, what it says of itself,
// when it shows its credentials, how often it tries. Pure.
//
// Where it comes from. `git` is recorded from git 2.39.5 with libcurl 7.88.1 (Debian 12), and a test compares
// it with the git that is installed. The others run that git, with these arguments and settings:
// - actions-checkout: `git -c protocol.version=2 fetch --no-tags --prune --no-recurse-submodules --depth=1
//   origin +SHA:refs/remotes/origin/BRANCH`, credentials by http.URL.extraheader, three tries with 10 to 20
//   seconds between them (actions/checkout, src/git-command-manager.ts, git-auth-helper.ts, retry-helper.ts).
// - gitlab-runner: `git -c http.userAgent="gitlab-runner VERSION linux/amd64" fetch origin
//   --no-recurse-submodules +SHA:refs/pipelines/ID +refs/heads/BRANCH:refs/remotes/origin/BRANCH --depth 20
//   --prune --quiet`, credentials from the URL or a helper, so after a 401, and one try
//   (gitlab-runner, shells/abstract.go; GIT_DEPTH and GET_SOURCES_ATTEMPTS in GitLab's documentation).
// - jenkins-poll: `git ls-remote -h URL` (git-client-plugin, CliGitAPIImpl.java: getHeadRev), after a
//   build with `git fetch --tags --force --progress -- URL +refs/heads/*:refs/remotes/origin/*`.
// - renovate: `git ls-remote --heads URL`, then `git clone --filter=blob:none`, or `git fetch --prune origin`
//   where a copy is there (renovate, lib/util/git/index.ts); gitRetry tries six times, 5, 10, 15... seconds
//   apart.
// - LFS requests are git-lfs 3.3's (lfshttp/client.go), in the order in which Go's net/http writes fields.
//
// Connections: each git process has one connection at a time (git-lfs has up to eight), keeps it between its
// requests and closes it when it ends. So an operation begins with a new one; the second process of an
// operation (the blobs that a checkout fetches after a blobless clone) has another.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "plan/operation.h"

namespace breakwater::storm {

enum class RequestKind : uint8_t {
  fetch_refs,    // GET info/refs?service=git-upload-pack
  push_refs,     // GET info/refs?service=git-receive-pack
  upload_pack,   // POST git-upload-pack: ls-refs, fetch, and all of v0
  receive_pack,  // POST git-receive-pack
  push_probe,    // the POST of a flush-pkt that comes before a push in chunks (remote-curl.c: probe_rpc)
  dumb_file,     // GET of HEAD or objects/info/packs
  dumb_object,   // GET of an object
  lfs_batch,     // POST info/lfs/objects/batch
  lfs_object,    // GET of an object, where the batch's answer says
  page,          // GET as a browser does it
};
inline constexpr uint8_t request_kinds = 10;

// What a request's head depends on. Nothing is escaped: these are sent as they are.
struct RequestParts {
  std::string_view authority;      // for Host
  std::string_view path;           // of the repository, with the target's prefix: "/git/team/app.git"
  std::string_view rest;           // dumb, page: what comes behind it: "/HEAD"; lfs_object: all of it
  uint8_t protocol = 2;            // 0: nothing is said of it
  std::string_view authorization;  // "Basic ..." or "Bearer ..."; empty: none
  uint64_t body_bytes = 0;         // of a POST
  bool chunked = false;            // instead of body_bytes
  bool gzip = false;               // the body is compressed
};

struct Profile {
  Client client;
  std::string_view name;        // "actions-checkout"
  std::string_view user_agent;  // of Git's requests
  std::string_view agent;       // of Git's own capability, without "agent="
  // Credentials go with the first request, in a field of the user's own (http.extraheader), not curl's.
  // Otherwise they come after a 401, whatever Target::authentication says unless it says `basic` or `bearer`.
  bool extra_header;
  // Defaults of the client for what an operation does not say.
  Verb verb;
  uint32_t depth;
  bool blobless;
  uint32_t tries;
  Duration retry_min, retry_max;
  bool tags;        // of a fetch: those that point to what comes (include-tag), and refs/tags/ is asked for
  bool heads_only;  // of an ls-remote: `-h`
};

const Profile& profile_of(Client client) noexcept;
const Profile* profile_named(std::string_view name) noexcept;  // null: none
std::span<const Profile> profiles() noexcept;

// The whole head, with its blank line, into `out`. The number of bytes; 0: it does not fit.
size_t write_request_head(const Profile& profile, RequestKind kind, const RequestParts& parts,
                          std::span<char> out) noexcept;
inline constexpr size_t request_head_bytes_max = 8 * 1024;  // enough for every path that a scenario may have

// What git asks ls-refs for in this operation, in git's order ("ref-prefix" lines without that word); empty:
// for all refs. No request for refs is made at all where asks_refs() is false: git has the id already.
std::vector<std::string> ref_prefixes(const Profile& profile, const Operation& operation);
bool asks_refs(const Profile& profile, const Operation& operation) noexcept;
// `include-tag` stands in the fetch request.
bool includes_tag(const Profile& profile, const Operation& operation) noexcept;

}  // namespace breakwater::storm
