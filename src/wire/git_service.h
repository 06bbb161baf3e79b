// What a person would call this request: which Git operation, on which repository (gitprotocol-http(5),
// git-http- backend(1), the LFS API). Decided by path and content type, never by `?service=` of a POST. Pure;
// no allocation.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "wire/http_head.h"

namespace breakwater::wire {

enum class GitOperation : uint8_t {
  other,              // web UI, API, anything else
  advertise_fetch,    // GET  <repo>/info/refs?service=git-upload-pack
  advertise_push,     // GET  <repo>/info/refs?service=git-receive-pack
  advertise_archive,  // GET  <repo>/info/refs?service=git-upload-archive
  upload_pack,        // POST <repo>/git-upload-pack, content type application/x-git-upload-pack-request
  receive_pack,       // POST <repo>/git-receive-pack: by path alone, so that no push is ever taken for a read
  upload_archive,     // POST <repo>/git-upload-archive
  dumb,               // GET/HEAD <repo>/info/refs without service, HEAD, objects/...
  lfs,                // <repo>/info/lfs/...
};

std::string_view name(
    GitOperation operation) noexcept;  // "upload-pack", "info/refs upload-pack", ... for logs

// owner/name of a repository for logs and affinity: percent-decoded copy of the path before the service part,
// without the leading '/' and the '.git'. Control bytes and non-ASCII are kept percent-encoded. Cut at 255
// bytes.
class RepositoryName {
 public:
  void assign(std::string_view decoded) noexcept;
  std::string_view view() const noexcept { return {text_.data(), bytes_}; }
  bool empty() const noexcept { return bytes_ == 0; }

 private:
  std::array<char, 255> text_;
  uint8_t bytes_ = 0;
};

struct GitRequest {
  GitOperation operation = GitOperation::other;
  uint8_t protocol_version = 0;  // from Git-Protocol "version=N" (in any colon-separated place): 0, 1 or 2
  RepositoryName repository;     // empty for `other`
};

void classify(const RequestHead& request, GitRequest& git) noexcept;

bool is_advertisement(GitOperation operation) noexcept;  // info/refs?service=...
bool is_push(GitOperation operation) noexcept;           // receive_pack
// May the proxy send this request a second time if no byte of an answer came? GET, HEAD, OPTIONS, and
// upload-pack and upload-archive POSTs (they read). Says nothing about whether the body is still at hand.
bool is_replayable(const RequestHead& request, GitOperation operation) noexcept;

}  // namespace breakwater::wire
