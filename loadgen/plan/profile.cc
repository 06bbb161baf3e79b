#include "plan/profile.h"

#include <algorithm>
#include <iterator>

#include "wire/http_write.h"

namespace breakwater::storm {

namespace {

constexpr std::string_view git_agent = "git/2.39.5";
constexpr Duration second{1000};

constexpr Profile all[] = {
    {Client::git, "git", git_agent, git_agent, false, Verb::clone, 0, false, 1, Duration{0}, Duration{0},
     false, false},
    {Client::actions_checkout, "actions-checkout", git_agent, git_agent, true, Verb::fetch_object, 1, false,
     3, 10 * second, 20 * second, false, false},
    {Client::gitlab_runner, "gitlab-runner", "gitlab-runner 17.0.0 linux/amd64", git_agent, false,
     Verb::clone, 20, false, 1, Duration{0}, Duration{0}, true, false},
    {Client::jenkins_poll, "jenkins-poll", git_agent, git_agent, false, Verb::ls_remote, 0, false, 1,
     Duration{0}, Duration{0}, true, true},
    {Client::renovate, "renovate", git_agent, git_agent, false, Verb::clone, 0, true, 6, 5 * second,
     25 * second, true, true},
};

bool is_post(RequestKind kind) noexcept {
  switch (kind) {
    case RequestKind::upload_pack:
    case RequestKind::receive_pack:
    case RequestKind::push_probe:
    case RequestKind::lfs_batch:
      return true;
    default:
      return false;
  }
}

std::string_view behind_path(RequestKind kind, const RequestParts& parts) noexcept {
  switch (kind) {
    case RequestKind::fetch_refs:
      return "/info/refs?service=git-upload-pack";
    case RequestKind::push_refs:
      return "/info/refs?service=git-receive-pack";
    case RequestKind::upload_pack:
      return "/git-upload-pack";
    case RequestKind::receive_pack:
    case RequestKind::push_probe:
      return "/git-receive-pack";
    case RequestKind::lfs_batch:
      return "/info/lfs/objects/batch";
    default:
      return parts.rest;
  }
}

constexpr std::string_view accept_encoding =
    "deflate, gzip, br, zstd";                              // libcurl 7.88's, with all it may have
constexpr std::string_view accept_language = "C, *;q=0.9";  // LANG=C.UTF-8, as containers have it

class Head {
 public:
  Head(const Profile& profile, const RequestParts& parts, std::span<char> out) noexcept
      : profile_(profile), parts_(parts), writer_(out) {}

  size_t write(RequestKind kind) noexcept {
    writer_.text(is_post(kind) ? "POST " : "GET ");
    if (kind != RequestKind::lfs_object) writer_.text(parts_.path);  // of that the server says the whole
    writer_.text(behind_path(kind, parts_));
    writer_.text(" HTTP/1.1\r\n");
    switch (kind) {
      case RequestKind::fetch_refs:
      case RequestKind::push_refs:
      case RequestKind::dumb_file:
      case RequestKind::dumb_object:
        write_get(kind);
        break;
      case RequestKind::upload_pack:
        write_post("application/x-git-upload-pack-request", "application/x-git-upload-pack-result", true);
        break;
      case RequestKind::receive_pack:
        write_post("application/x-git-receive-pack-request", "application/x-git-receive-pack-result", false);
        break;
      case RequestKind::push_probe:
        write_probe();
        break;
      case RequestKind::lfs_batch:
      case RequestKind::lfs_object:
        write_lfs(kind);
        break;
      case RequestKind::page:
        write_page();
        break;
    }
    writer_.end_of_head();
    return writer_.overflowed() ? 0 : writer_.bytes();
  }

 private:
  // curl's own come first, and what Git adds behind them.
  void write_start() noexcept {
    writer_.field("Host", parts_.authority);
    if (!profile_.extra_header) authorization();
    writer_.field("User-Agent", profile_.user_agent);
  }
  void authorization() noexcept {
    if (!parts_.authorization.empty()) writer_.field("Authorization", parts_.authorization);
  }
  void extra_header() noexcept {
    if (profile_.extra_header) authorization();
  }
  void git_protocol() noexcept {
    if (parts_.protocol == 1) writer_.field("Git-Protocol", "version=1");
    if (parts_.protocol == 2) writer_.field("Git-Protocol", "version=2");
  }
  void length() noexcept {
    if (!parts_.chunked) writer_.field("Content-Length", parts_.body_bytes);
  }

  void write_get(RequestKind kind) noexcept {
    write_start();
    writer_.field("Accept", "*/*");
    writer_.field("Accept-Encoding", accept_encoding);
    extra_header();
    writer_.field("Accept-Language", accept_language);
    if (kind != RequestKind::dumb_object) writer_.field("Pragma", "no-cache");
    if (kind == RequestKind::fetch_refs) git_protocol();  // a push speaks the first version
  }
  void write_post(std::string_view type, std::string_view accept, bool is_fetch) noexcept {
    write_start();
    writer_.field("Accept-Encoding", accept_encoding);
    if (parts_.chunked) writer_.field("Transfer-Encoding", "chunked");
    extra_header();
    writer_.field("Content-Type", type);
    writer_.field("Accept", accept);
    writer_.field("Accept-Language", accept_language);
    if (is_fetch) git_protocol();
    if (parts_.gzip) writer_.field("Content-Encoding", "gzip");
    length();
  }
  void write_probe() noexcept {
    write_start();
    extra_header();
    writer_.field("Content-Type", "application/x-git-receive-pack-request");
    writer_.field("Accept", "application/x-git-receive-pack-result");
    length();
  }
  void write_lfs(RequestKind kind) noexcept {
    writer_.field("Host", parts_.authority);
    writer_.field("User-Agent", "git-lfs/3.3.0 (GitHub; linux amd64; go 1.19.8)");
    if (kind == RequestKind::lfs_batch) length();
    if (kind == RequestKind::lfs_batch) writer_.field("Accept", "application/vnd.git-lfs+json");
    authorization();
    if (kind == RequestKind::lfs_batch)
      writer_.field("Content-Type", "application/vnd.git-lfs+json; charset=utf-8");
    writer_.field("Accept-Encoding", "gzip");
  }
  void write_page() noexcept {
    writer_.field("Host", parts_.authority);
    writer_.field("Connection", "keep-alive");
    authorization();
    writer_.field("User-Agent",
                  "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 "
                  "Safari/537.36");
    writer_.field("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8");
    writer_.field("Accept-Encoding", "gzip, deflate");
    writer_.field("Accept-Language", "en-US,en;q=0.9");
  }

  const Profile& profile_;
  const RequestParts& parts_;
  wire::HeadWriter writer_;
};

// "main" is a branch, "v1" may be a tag: git asks for every place that a short name may stand for.
void add_places(std::vector<std::string>& prefixes, const std::string& ref) {
  for (const char* const place : {"", "refs/", "refs/tags/", "refs/heads/", "refs/remotes/"})
    prefixes.push_back(place + ref);
  prefixes.push_back("refs/remotes/" + ref + "/HEAD");
}

}  // namespace

std::span<const Profile> profiles() noexcept {
  return all;
}

const Profile& profile_of(Client client) noexcept {
  return all[static_cast<size_t>(client)];
}

const Profile* profile_named(std::string_view name) noexcept {
  const Profile* const found =
      std::find_if(std::begin(all), std::end(all), [name](const Profile& each) { return each.name == name; });
  return found == std::end(all) ? nullptr : found;
}

size_t write_request_head(const Profile& profile, RequestKind kind, const RequestParts& parts,
                          std::span<char> out) noexcept {
  return Head(profile, parts, out).write(kind);
}

std::vector<std::string> ref_prefixes(const Profile& profile, const Operation& operation) {
  std::vector<std::string> prefixes;
  switch (operation.verb) {
    case Verb::ls_remote:
      if (profile.heads_only) prefixes.push_back("refs/heads/");
      return prefixes;
    case Verb::clone:
      prefixes = {"HEAD", "refs/heads/"};
      if (!operation.ref.empty()) add_places(prefixes, operation.ref);
      prefixes.push_back("refs/tags/");
      return prefixes;
    case Verb::tags:
      return {"refs/heads/", "refs/tags/"};
    default:
      break;
  }
  if (operation.ref.empty() || operation.ref.starts_with("refs/"))
    prefixes.push_back(operation.ref.empty() ? "refs/heads/" : operation.ref);
  else
    add_places(prefixes, operation.ref);
  if (profile.tags || profile.client == Client::git) prefixes.push_back("refs/tags/");
  return prefixes;
}

// A fetch of one object by its id has all that it asks for.
bool asks_refs(const Profile&, const Operation& operation) noexcept {
  return operation.verb != Verb::fetch_object;
}

// A full clone names all tags itself; `--depth` and a fetch take those that come along, unless --no-tags.
bool includes_tag(const Profile& profile, const Operation& operation) noexcept {
  switch (operation.verb) {
    case Verb::clone:
      return operation.depth > 0;
    case Verb::fetch:
      return profile.tags || profile.client == Client::git;
    default:
      return false;
  }
}

}  // namespace breakwater::storm
