// A push of fresh commits on a branch of the runner's own, behind what that branch has, or else behind HEAD.
#include <string>
#include <utility>

#include "client/operation_refs.h"
#include "client/operations.h"
#include "client/push_body.h"
#include "client/reader_sink.h"
#include "git/push_answer.h"
#include "git/requests.h"

namespace breakwater::storm {

namespace {

constexpr uint64_t post_buffer_bytes = 1024 * 1024;  // http.postBuffer: a larger body is sent in chunks

// What is there of the branch, and of what it may begin at.
struct Branch {
  std::string name;
  ObjectId tip, head, any;
  static void on_ref(void* self, const Ref& ref) {
    Branch& branch = *static_cast<Branch*>(self);
    if (ref.name == branch.name) branch.tip = ref.id;
    if (ref.name == "HEAD" || ref.name == "refs/heads/main" || ref.name == "refs/heads/master")
      branch.head = ref.id;
    if (branch.any.is_zero() && ref.name.starts_with("refs/heads/")) branch.any = ref.id;
  }
  const ObjectId& parent() const noexcept { return !tip.is_zero() ? tip : !head.is_zero() ? head : any; }
};

// "refs/heads/storm/RUNNER", or so below the ref that the operation names.
std::string branch_of(const Job& job) {
  std::string ref = job.operation.ref.empty() ? "storm" : job.operation.ref;
  if (!ref.starts_with("refs/")) ref = "refs/heads/" + ref;
  return ref + "/" + std::to_string(job.runner.index);
}

// In chunks, behind a probe, by which git learns early whether it may (remote-curl.c: post_rpc).
Task<Failure> send_in_chunks(Remote& remote, PushBody& body, Sink& sink) {
  Dropped dropped;
  const Remote::Asked probe{.kind = RequestKind::push_probe, .body = push_probe};
  Failure failure = co_await remote.ask(probe, dropped);
  if (failure != Failure::none) co_return failure;
  const Remote::Asked asked{.kind = RequestKind::receive_pack, .pieces = &body};
  failure = co_await remote.ask(asked, sink);
  co_return failure;
}

Task<Failure> send_at_once(Remote& remote, PushBody& body, Sink& sink) {
  const std::string all = body.all();
  const Remote::Asked asked{.kind = RequestKind::receive_pack, .body = all};
  const Failure failure = co_await remote.ask(asked, sink);
  co_return failure;
}

}  // namespace

Task<Failure> push_commits(Job& job) {
  Remote remote(job);
  Branch branch;
  branch.name = branch_of(job);
  Advertised advertised;
  const RefListener listener{Branch::on_ref, &branch};
  Failure failure = co_await read_advertisement(job, remote, RequestKind::push_refs, listener, advertised);
  if (failure != Failure::none) co_return failure;
  const Capabilities& can = advertised.capabilities;
  PushBody body({.seed = mix(job.plan.scenario.seed, job.runner.index, ++job.runner.pushes),
                 .commits = job.operation.commits,
                 .bytes = job.operation.bytes,
                 .parent = branch.parent(),
                 .from = branch.tip,
                 .hash = advertised.hash,
                 .ref = branch.name,
                 .agent = remote.profile().agent,
                 .server_reports_v2 = can.has("report-status-v2"),
                 .server_quiets = can.has("quiet"),
                 .server_names_hash = can.has("object-format")});
  PushAnswerReader reader;
  ReaderSink sink(job, reader);
  if (body.bytes() > post_buffer_bytes)
    failure = co_await send_in_chunks(remote, body, sink);
  else
    failure = co_await send_at_once(remote, body, sink);
  failure = sink.finish(failure);
  if (failure == Failure::none && !reader.is_taken())
    failure = job.fail(Failure::git, "the server does not say that it took the push");
  if (failure != Failure::none) co_return failure;
  job.pushed = body.tip();
  job.outcome.pack_bytes = body.pack_bytes();
  job.outcome.pack_objects = body.objects();
  co_return Failure::none;
}

}  // namespace breakwater::storm
