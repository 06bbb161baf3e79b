// LFS objects: a batch request says where they are, then they are downloaded as git-lfs does it
// (tq/adapterbase.go): the first over the connection of the batch, and once the server has begun to answer
// that, for it may want credentials, others beside it.
#include <charconv>
#include <deque>
#include <string>
#include <utility>

#include "client/beginning.h"
#include "client/operations.h"
#include "client/remote.h"
#include "coro/scope.h"
#include "git/digest.h"
#include "git/lfs.h"

namespace breakwater::storm {

namespace {

constexpr size_t downloads_at_once = 8;  // lfs.concurrentTransfers

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

// All downloads of one operation.
class Downloads {
 public:
  Downloads(Job& job, Remote& first, std::vector<LfsDownload> wanted)
      : job_(job), first_(first), wanted_(std::move(wanted)), over_(job.core) {
    scope_.when_empty([](void* self) { static_cast<Downloads*>(self)->over_.set(); }, this);
  }
  ~Downloads() { job_.runner.more_connections.clear(); }
  Downloads(const Downloads&) = delete;
  Downloads& operator=(const Downloads&) = delete;

  // Suspends until none is under way: after a failure no more are begun.
  Task<Failure> all() {
    co_await work(this, &first_);
    while (!scope_.empty()) {
      over_.clear();
      co_await over_;
    }
    job_.words = words_;
    co_return failure_;
  }

 private:
  struct Line {
    Line(Job& job, const Remote& first)
        : connection(job.core, job.plan.site, job.runner.traffic), remote(first, connection) {
      // One bucket for all of them, and each with its share of what a receive takes and the kernel keeps.
      if (const uint64_t rate = job.runner.pace.rate; rate > 0)
        connection.set_pace(Pace::of(std::max<uint64_t>(rate / downloads_at_once, 1)), job.runner.bucket);
      connection.set_patience(job.runner.connection.patience());
    }
    Connection connection;
    Remote remote;
  };

  struct Hashed : Sink {
    explicit Hashed(Downloads& all_) noexcept : all(all_) {}
    Downloads& all;
    Digest digest{HashKind::sha256};
    uint64_t bytes = 0;
    bool take(std::string_view payload) override {
      digest.add(payload);
      bytes += payload.size();
      all.begin_others();  // at last: `payload` may lie where they write their requests
      return true;
    }
  };

  static Task<void> work(Downloads* self, Remote* remote) {
    while (self->next_ < self->wanted_.size() && self->failure_ == Failure::none) {
      const Failure failure = co_await self->download(*remote, self->wanted_[self->next_++]);
      if (failure == Failure::none || self->failure_ != Failure::none) continue;
      self->failure_ = failure;
      self->words_ = self->job_.words;
    }
  }

  void begin_others() {
    if (!lines_.empty()) return;
    const size_t left = std::min(wanted_.size() - next_, downloads_at_once - 1);
    for (size_t count = 0; count < left && !job_.runner.connection.is_stopped(); count++) {
      Line& line = lines_.emplace_back(job_, first_);
      job_.runner.more_connections.push_back(&line.connection);
      scope_.spawn(work(this, &line.remote));
    }
  }

  Task<Failure> download(Remote& remote, const LfsDownload& what) {
    const std::string_view path = job_.plan.site.path_of(what.href);
    if (path.empty())  // it is somewhere else, where no storm goes
      co_return job_.fail(Failure::status, "an object is at " + what.href + ": not followed");
    Remote::Asked asked{.kind = RequestKind::lfs_object, .rest = path};
    for (const auto& [name, value] : what.header)
      if (wire::equals_ignoring_case(name, "authorization")) asked.authorization = value;
    Hashed sink(*this);
    const Failure failure = co_await remote.ask(asked, sink);
    if (failure != Failure::none) co_return failure;
    const bool is_whole = sink.bytes == what.object.bytes && sink.digest.finish().hex() == what.object.oid;
    job_.outcome.pack_bytes += sink.bytes;
    job_.outcome.pack_objects++;
    if (is_whole) co_return Failure::none;
    co_return job_.fail(Failure::corrupt, "LFS object " + what.object.oid + " is not what its name says");
  }

  Job& job_;
  Remote& first_;
  const std::vector<LfsDownload> wanted_;
  size_t next_ = 0;
  Failure failure_ = Failure::none;  // the first one
  std::string words_;                // of it
  std::deque<Line> lines_;
  Signal over_;
  Scope scope_;
};

}  // namespace

Task<Failure> download_lfs(Job& job) {
  Remote remote(job);
  const std::string body = write_lfs_batch(lfs_objects(job.operation.path), job.operation.ref);
  Beginning answer(lfs_answer_bytes_max + 1);
  const Remote::Asked asked{.kind = RequestKind::lfs_batch, .body = body};
  const Failure failure = co_await remote.ask(asked, answer);
  if (failure != Failure::none) co_return failure;
  std::expected<std::vector<LfsDownload>, std::string> wanted = read_lfs_batch(answer.text);
  if (!wanted) co_return job.fail(Failure::git, wanted.error());
  Downloads downloads(job, remote, std::move(*wanted));
  const Failure of_downloads = co_await downloads.all();
  co_return of_downloads;
}

}  // namespace breakwater::storm
