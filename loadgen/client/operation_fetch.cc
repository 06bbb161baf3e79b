#include "client/operation_fetch.h"

#include <algorithm>
#include <utility>

#include "client/pack_sink.h"

namespace breakwater::storm {

namespace {

// Where in the pack a runner goes away: anywhere, as far as its size can be guessed.
uint64_t place_to_vanish(Job& job) {
  constexpr uint64_t unknown_bytes = 256 * 1024;
  const uint64_t bytes = job.known.pack_bytes > 0 ? job.known.pack_bytes : unknown_bytes;
  return 1 + job.dice.next() % bytes;
}

// The pack needs nothing but itself, and so can be given to git.
void keep_by_dice(Job& job, const FetchRequest& request) {
  if (job.plan.inspector == nullptr || !request.haves.empty()) return;
  if (!job.throws(job.plan.scenario.deep_check_per_mille)) return;
  const bool has_all_links = request.depth == 0 && !request.blobless && request.shallow.empty();
  job.kept = job.plan.inspector->keep(request.hash, has_all_links);
}

// Before v2 a request for a shallow history is made twice: the first one only asks where it would end
// (fetch-pack.c: find_common, stateless_rpc).
Task<Failure> ask_for_ends(Remote& remote, const FetchRequest& request) {
  FetchRequest question = request;
  question.haves.clear();
  question.is_done = false;
  std::string body = write(question);
  body.resize(body.size() - 4);  // without the flush behind haves
  Dropped sink;
  const Failure failure = co_await ask_upload_pack(remote, std::move(body), sink);
  co_return failure;
}

}  // namespace

FetchRequest fetch_request(const Job& job, const Remote& remote, const Advertised& advertised) {
  const bool is_v2 = advertised.version == 2;
  const Capabilities& can = advertised.capabilities;
  FetchRequest request;
  request.version = advertised.version;
  request.agent = remote.profile().agent;
  request.hash = advertised.hash;
  request.depth = job.operation.depth;
  request.server_filters = is_v2 ? can.has_feature("fetch", "filter") : can.has("filter");
  request.server_deepens = can.has("deepen-since");
  request.blobless = job.operation.blobless && request.server_filters;
  return request;
}

Task<Failure> fetch_pack(Job& job, Remote& remote, FetchRequest request, PackListener& listener) {
  const bool is_v2 = request.version == 2;
  if (!is_v2 && request.depth > 0) {
    const Failure failure = co_await ask_for_ends(remote, request);
    if (failure != Failure::none) co_return failure;
  }
  // With few haves v0 says at once that these are all.
  request.is_done = !is_v2 || request.haves.empty();
  const bool vanishes = job.throws(job.plan.scenario.runners.vanish_percent * 10);
  const uint64_t vanish_at = vanishes ? place_to_vanish(job) : UINT64_MAX;
  keep_by_dice(job, request);
  for (;;) {
    PackCheck check(request.hash);
    if (listener.looks_for_tip) check.want(request.wants.front());
    FetchAnswerReader reader({request.version, request.depth > 0, request.is_done}, check);
    PackSink sink(job, check, reader, listener);
    sink.vanish_at(vanish_at);
    std::string body = write(request);
    Failure failure = co_await ask_upload_pack(remote, std::move(body), sink);
    job.outcome.pack_bytes = check.bytes();
    job.outcome.pack_objects = check.objects();
    if (job.outcome.vanished) {
      job.kept.reset();
      job.runner.connection.reset();
      co_return Failure::none;
    }
    failure = sink.finish(failure);
    if (failure != Failure::none) co_return failure;
    if (reader.needs_another_round()) {
      if (request.is_done) co_return job.fail(Failure::git, "another round is asked for behind `done`");
      request.is_done = true;
      continue;
    }
    if (check.tip() != PackCheck::Tip::absent) co_return Failure::none;
    co_return job.fail(Failure::corrupt, "the pack is without " + request.wants.front().hex());
  }
}

}  // namespace breakwater::storm
