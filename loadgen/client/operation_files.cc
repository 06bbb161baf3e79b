// What is no smart protocol of Git's: files of a repository as the dumb one reads them, LFS objects, and a
// page.
#include <array>
#include <charconv>
#include <string>
#include <utility>

#include "client/operations.h"
#include "client/remote.h"
#include "git/digest.h"
#include "git/lfs.h"

namespace breakwater::storm {

namespace {

// The first bytes of it; the rest is dropped.
struct Beginning : Sink {
  explicit Beginning(size_t most_) noexcept : most(most_) {}
  size_t most;
  std::string text;
  bool take(std::string_view payload) override {
    text += payload.substr(0, std::min(payload.size(), most - text.size()));
    return true;
  }
};

struct Hashed : Sink {
  Digest digest{HashKind::sha256};
  uint64_t bytes = 0;
  bool take(std::string_view payload) override {
    digest.add(payload);
    bytes += payload.size();
    return true;
  }
};

// "OID:BYTES,OID:BYTES".
std::vector<LfsObject> lfs_objects(std::string_view path) {
  std::vector<LfsObject> objects;
  while (!path.empty() && objects.size() < lfs_objects_max) {
    const std::string_view one = path.substr(0, path.find(','));
    path.remove_prefix(std::min(path.size(), one.size() + 1));
    const size_t colon = one.find(':');
    if (colon == std::string_view::npos) continue;
    LfsObject object{std::string(one.substr(0, colon)), 0};
    std::from_chars(one.data() + colon + 1, one.data() + one.size(), object.bytes);
    objects.push_back(std::move(object));
  }
  return objects;
}

Task<Failure> download(Job& job, Remote& remote, const LfsDownload& what) {
  const std::string_view path = job.plan.site.path_of(what.href);
  if (path.empty()) co_return Failure::status;  // it is somewhere else, where no storm goes
  Remote::Asked asked{.kind = RequestKind::lfs_object, .rest = path};
  for (const auto& [name, value] : what.header)
    if (wire::equals_ignoring_case(name, "authorization")) asked.authorization = value;
  Hashed sink;
  const Failure failure = co_await remote.ask(asked, sink);
  if (failure != Failure::none) co_return failure;
  const bool is_whole = sink.bytes == what.object.bytes && sink.digest.finish().hex() == what.object.oid;
  job.outcome.pack_bytes += sink.bytes;
  job.outcome.pack_objects++;
  co_return is_whole ? Failure::none : Failure::corrupt;
}

}  // namespace

Task<Failure> download_lfs(Job& job) {
  Remote remote(job);
  const std::string body = write_lfs_batch(lfs_objects(job.operation.path), job.operation.ref);
  Beginning answer(lfs_answer_bytes_max + 1);
  const Remote::Asked asked{.kind = RequestKind::lfs_batch, .body = body};
  Failure failure = co_await remote.ask(asked, answer);
  if (failure != Failure::none) co_return failure;
  const std::expected<std::vector<LfsDownload>, std::string> downloads = read_lfs_batch(answer.text);
  if (!downloads) co_return Failure::git;
  for (const LfsDownload& each : *downloads) {
    failure = co_await download(job, remote, each);
    if (failure != Failure::none) co_return failure;
  }
  co_return Failure::none;
}

// info/refs, HEAD, and the object that the first ref names: loose if it is, or else the list of packs, as
// http-fetch of git goes on then.
Task<Failure> read_files(Job& job) {
  constexpr size_t refs_bytes_max = 4096;
  Remote remote(job);
  Beginning refs(refs_bytes_max);
  Remote::Asked asked{.kind = RequestKind::dumb_file, .rest = "/info/refs"};
  Failure failure = co_await remote.ask(asked, refs);
  if (failure != Failure::none) co_return failure;
  job.mark_now(Phase::advertisement);
  Dropped dropped;
  asked.rest = "/HEAD";
  failure = co_await remote.ask(asked, dropped);
  if (failure != Failure::none || refs.text.empty()) co_return failure;
  const std::optional<ObjectId> id =
      ObjectId::parse(std::string_view(refs.text).substr(0, refs.text.find('\t')));
  if (!id) co_return Failure::git;
  const std::string name = id->hex();
  const std::string object = "/objects/" + name.substr(0, 2) + "/" + name.substr(2);
  asked = {.kind = RequestKind::dumb_object, .rest = object};
  failure = co_await remote.ask(asked, dropped);
  if (failure != Failure::status || job.outcome.status != 404) co_return failure;
  asked = {.kind = RequestKind::dumb_file, .rest = "/objects/info/packs"};
  failure = co_await remote.ask(asked, dropped);
  co_return failure;
}

Task<Failure> read_page(Job& job) {
  Remote remote(job);
  Dropped dropped;
  const Remote::Asked asked{.kind = RequestKind::page, .rest = job.operation.path};
  const Failure failure = co_await remote.ask(asked, dropped);
  co_return failure;
}

}  // namespace breakwater::storm
