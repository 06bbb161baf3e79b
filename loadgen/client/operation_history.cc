// Clones, fetches and tags: the refs, what is wanted of them, the pack; after a blobless clone the blobs of
// its checkout, by a process of their own as git does it.
#include <algorithm>
#include <utility>

#include "client/operation_fetch.h"
#include "client/operation_refs.h"
#include "client/operations.h"
#include "client/wanted_refs.h"
#include "git/tree_blobs.h"

namespace breakwater::storm {

namespace {

// `git fetch`, which a checkout runs for what is missing (promisor-remote.c: fetch_objects). Of the blobs
// that are known; none are asked for if there are none.
Task<Failure> fetch_missing_blobs(Job& job) {
  Remote remote(job);
  Advertised advertised;
  const RefListener nobody{[](void*, const Ref&) {}, nullptr};
  Failure failure = co_await read_advertisement(job, remote, RequestKind::fetch_refs, nobody, advertised);
  if (failure != Failure::none) co_return failure;
  FetchRequest request = fetch_request(job, remote, advertised);
  request.depth = 0;
  request.wants = job.known.blobs;
  if (request.wants.size() > job.operation.lazy_objects) request.wants.resize(job.operation.lazy_objects);
  PackListener listener;
  listener.looks_for_tip = false;
  // Of these packs none has a history, and none is kept; the clone's may be.
  std::unique_ptr<KeptPack> kept = std::move(job.kept);
  const uint64_t bytes = job.outcome.pack_bytes;
  const uint32_t objects = job.outcome.pack_objects;
  failure = co_await fetch_pack(job, remote, std::move(request), listener);
  job.kept = std::move(kept);
  job.outcome.pack_bytes += bytes;
  job.outcome.pack_objects += objects;
  co_return failure;
}

// The refs of `git clone` and `git fetch`, by the protocol that the server speaks.
Task<Failure> read_wanted(Job& job, Remote& remote, WantedRefs& wanted, Advertised& advertised) {
  const RefListener listener{WantedRefs::on_ref, &wanted};
  Failure failure = co_await read_advertisement(job, remote, RequestKind::fetch_refs, listener, advertised);
  if (failure != Failure::none) co_return failure;
  if (advertised.version == 2) {
    const std::vector<std::string> prefixes = ref_prefixes(remote.profile(), job.operation);
    failure = co_await read_refs(job, remote, advertised, prefixes, listener);
    if (failure != Failure::none) co_return failure;
  } else {
    wanted.leave_out_head();
  }
  if (!wanted.head().is_zero()) job.known.tip = wanted.head();
  if (!wanted.is_too_many()) co_return Failure::none;
  co_return job.fail(Failure::local, "more refs are wanted than a runner remembers");
}

void keep_copy(Job& job, WantedRefs&& wanted, bool was_shallow) {
  LocalCopy copy = std::move(wanted).copy();
  copy.repository = job.arrival.repository;
  copy.blobless = job.operation.blobless;
  // Of one commit it is known where the history ends. Of more it isn't here, so such a copy is of no use.
  const bool is_shallow = job.operation.depth > 0 || was_shallow;
  if (is_shallow && job.operation.depth != 1) return job.runner.copies.forget(copy.repository);
  if (is_shallow) copy.shallow = copy.tips;
  job.runner.copies.keep(std::move(copy));
}

}  // namespace

Task<Failure> fetch_history(Job& job) {
  const bool is_clone = job.operation.verb == Verb::clone;
  const LocalCopy* const here = is_clone ? nullptr : job.runner.copies.find(job.arrival.repository);
  const bool was_shallow = here != nullptr && !here->shallow.empty();
  Failure failure = Failure::none;
  {
    Remote remote(job);
    WantedRefs wanted(job.operation, here, includes_tag(remote.profile(), job.operation));
    Advertised advertised;
    failure = co_await read_wanted(job, remote, wanted, advertised);
    if (failure != Failure::none) co_return failure;
    if (!job.operation.ref.empty() && wanted.head().is_zero())
      co_return job.fail(Failure::git, "the server has no ref " + job.operation.ref);
    if (wanted.wants().empty()) co_return Failure::none;  // nothing is there, or nothing is new
    FetchRequest request = fetch_request(job, remote, advertised);
    request.wants = wanted.wants();
    request.has_include_tag = includes_tag(remote.profile(), job.operation);
    if (here != nullptr) {
      request.haves = here->tips;
      request.shallow = here->shallow;
    }
    PackListener listener;
    listener.wants_beginning = is_clone && request.blobless && job.known.blobs.empty();
    failure = co_await fetch_pack(job, remote, std::move(request), listener);
    if (failure != Failure::none || job.outcome.vanished) co_return failure;
    if (is_clone) job.known.pack_bytes = job.outcome.pack_bytes;
    if (listener.wants_beginning)
      job.known.blobs = blobs_of_trees(listener.beginning, advertised.hash, KnownObjects::blobs_max);
    keep_copy(job, std::move(wanted), was_shallow);
  }
  const bool checks_out = is_clone && job.operation.blobless && job.operation.lazy_objects > 0;
  if (checks_out && !job.known.blobs.empty()) failure = co_await fetch_missing_blobs(job);
  co_return failure;
}

// One commit by its id: with protocol v2 git asks for no refs then; before it, it reads them in any case.
Task<Failure> fetch_one(Job& job) {
  Remote remote(job);
  Advertised advertised;
  WantedRefs wanted(job.operation, nullptr, false);
  std::optional<ObjectId> id = ObjectId::parse(job.operation.ref);
  if (!id && job.follows != nullptr) id = job.follows->commit;
  if (!id && !job.known.tip.is_zero()) id = job.known.tip;
  const RefListener listener{WantedRefs::on_ref, &wanted};
  Failure failure = co_await read_advertisement(job, remote, RequestKind::fetch_refs, listener, advertised);
  if (failure != Failure::none) co_return failure;
  if (!id && advertised.version == 2) {
    const std::vector<std::string> head = {"HEAD"};
    failure = co_await read_refs(job, remote, advertised, head, listener);
    if (failure != Failure::none) co_return failure;
  }
  if (!id && wanted.head().is_zero()) {
    const std::string& ref = job.operation.ref;
    co_return job.fail(Failure::git, "the server has no ref " + (ref.empty() ? "HEAD" : ref));
  }
  if (!id) id = job.known.tip = wanted.head();
  FetchRequest request = fetch_request(job, remote, advertised);
  request.wants = {*id};
  request.has_include_tag = includes_tag(remote.profile(), job.operation);
  PackListener unheard;
  failure = co_await fetch_pack(job, remote, std::move(request), unheard);
  co_return failure;
}

}  // namespace breakwater::storm
