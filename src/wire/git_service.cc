#include "wire/git_service.h"

#include <algorithm>
#include <cstring>

#include "wire/byte_class.h"
#include "wire/uri.h"

namespace breakwater::wire {

namespace {

constexpr size_t path_bytes_max = 4096;

bool ends_with(std::string_view text, std::string_view end, std::string_view& before) {
  if (!text.ends_with(end)) return false;
  before = text.substr(0, text.size() - end.size());
  return !before.empty();
}

GitOperation advertised(std::string_view query) {
  const std::optional<std::string_view> service = query_value(query, "service");
  if (!service) return GitOperation::dumb;
  if (*service == "git-upload-pack") return GitOperation::advertise_fetch;
  if (*service == "git-receive-pack") return GitOperation::advertise_push;
  if (*service == "git-upload-archive") return GitOperation::advertise_archive;
  return GitOperation::dumb;
}

bool has_content_type(const RequestHead& request, std::string_view wanted) {
  const std::string_view type = request.fields.find("content-type");
  return equals_ignoring_case(type.substr(0, type.find(';')), wanted);
}

// "/team/app.git/objects/ab/cdef..." and the other files of the dumb protocol (gitrepository-layout(5)).
bool is_dumb(std::string_view path, std::string_view& repository) {
  const size_t objects = path.rfind("/objects/");
  if (objects != std::string_view::npos && objects > 0) {
    const std::string_view file = path.substr(objects + 9);
    const bool loose = file.size() > 3 && file[2] == '/' && is(byte_hex, file[0]) && is(byte_hex, file[1]);
    if (loose || file.starts_with("pack/pack-") || file.starts_with("info/")) {
      repository = path.substr(0, objects);
      return true;
    }
  }
  return ends_with(path, ".git/HEAD", repository);
}

GitOperation operation_of(const RequestHead& request, std::string_view path, std::string_view query,
                          std::string_view& repository) {
  const bool reads = request.method == Method::get || request.method == Method::head;
  if (reads && ends_with(path, "/info/refs", repository)) return advertised(query);
  if (request.method == Method::post) {
    if (ends_with(path, "/git-receive-pack", repository)) return GitOperation::receive_pack;
    if (ends_with(path, "/git-upload-pack", repository)) {
      const bool typed = has_content_type(request, "application/x-git-upload-pack-request");
      return typed ? GitOperation::upload_pack : GitOperation::other;
    }
    if (ends_with(path, "/git-upload-archive", repository)) return GitOperation::upload_archive;
  }
  const size_t lfs = path.find("/info/lfs/");
  if (lfs != std::string_view::npos && lfs > 0) {
    repository = path.substr(0, lfs);
    return GitOperation::lfs;
  }
  return reads && is_dumb(path, repository) ? GitOperation::dumb : GitOperation::other;
}

// gitprotocol-http(5): Git-Protocol is a colon-separated list of key=value.
uint8_t protocol_version(const Fields& fields) {
  std::string_view list = fields.find("git-protocol");
  while (!list.empty()) {
    const size_t end = std::min(list.find(':'), list.size());
    const std::string_view entry = list.substr(0, end);
    if (entry == "version=2") return 2;
    if (entry == "version=1") return 1;
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return 0;
}

}  // namespace

std::string_view name(GitOperation operation) noexcept {
  switch (operation) {
    case GitOperation::other:
      return "other";
    case GitOperation::advertise_fetch:
      return "info/refs upload-pack";
    case GitOperation::advertise_push:
      return "info/refs receive-pack";
    case GitOperation::advertise_archive:
      return "info/refs upload-archive";
    case GitOperation::upload_pack:
      return "upload-pack";
    case GitOperation::receive_pack:
      return "receive-pack";
    case GitOperation::upload_archive:
      return "upload-archive";
    case GitOperation::dumb:
      return "dumb";
    case GitOperation::lfs:
      return "lfs";
  }
  return "?";
}

void RepositoryName::assign(std::string_view decoded) noexcept {
  while (!decoded.empty() && decoded.front() == '/') decoded.remove_prefix(1);
  if (decoded.ends_with(".git") && decoded.size() > 4) decoded.remove_suffix(4);
  bytes_ = 0;
  for (const char byte : decoded) {
    const bool plain = is(byte_target, byte);
    if (bytes_ + (plain ? 1u : 3u) > text_.size()) return;
    if (plain) {
      text_[bytes_++] = byte;
      continue;
    }
    const uint8_t value = static_cast<uint8_t>(byte);
    text_[bytes_++] = '%';
    text_[bytes_++] = "0123456789ABCDEF"[value >> 4];
    text_[bytes_++] = "0123456789ABCDEF"[value & 15];
  }
}

void classify(const RequestHead& request, GitRequest& git) noexcept {
  git.operation = GitOperation::other;
  git.protocol_version = 0;
  git.repository.assign({});
  const PathQuery target = split_query(request.path_query);
  std::array<char, path_bytes_max> room;
  const std::optional<std::string_view> path = percent_decode(target.path, room);
  if (!path) return;
  std::string_view repository;
  git.operation = operation_of(request, *path, target.query, repository);
  if (git.operation == GitOperation::other) return;
  git.protocol_version = protocol_version(request.fields);
  git.repository.assign(repository);
}

bool is_advertisement(GitOperation operation) noexcept {
  return operation == GitOperation::advertise_fetch || operation == GitOperation::advertise_push ||
         operation == GitOperation::advertise_archive;
}

bool is_push(GitOperation operation) noexcept {
  return operation == GitOperation::receive_pack;
}

bool is_replayable(const RequestHead& request, GitOperation operation) noexcept {
  switch (request.method) {
    case Method::get:
    case Method::head:
    case Method::options:
      return true;
    case Method::post:
      return operation == GitOperation::upload_pack || operation == GitOperation::upload_archive;
    default:
      return false;
  }
}

}  // namespace breakwater::wire
