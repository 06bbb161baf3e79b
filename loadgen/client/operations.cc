#include "client/operations.h"

#include <algorithm>

#include "client/git_driver.h"
#include "config/units.h"
#include "plan/profile.h"

namespace breakwater::storm {

namespace {

Task<Failure> perform_try(Job& job) {
  if (job.plan.git != nullptr) return job.plan.git->perform(job);
  // What follows a push asks for exactly what that has made.
  if (job.follows != nullptr && job.operation.verb == Verb::fetch) return fetch_one(job);
  switch (job.operation.verb) {
    case Verb::ls_remote:
      return list_refs(job);
    case Verb::clone:
    case Verb::fetch:
    case Verb::tags:
      return fetch_history(job);
    case Verb::fetch_object:
      return fetch_one(job);
    case Verb::push:
      return push_commits(job);
    case Verb::lfs:
      return download_lfs(job);
    case Verb::dumb:
      return read_files(job);
    case Verb::page:
      break;
  }
  return read_page(job);
}

// Nothing gets better by another try, or it is over.
bool is_final(Failure failure) {
  return failure == Failure::none || failure == Failure::local;
}

// Of a wait that was too long nobody else has said anything.
std::string words_of_wait(const Job& job) {
  if (job.outcome.failure == Failure::stalled)
    return "nothing came for " + config::format_duration(job.operation.stall);
  if (job.outcome.failure != Failure::timed_out) return {};
  return job.runner.connection.is_stopped()
             ? "still under way when the storm and its grace were over"
             : "not done within " + config::format_duration(job.operation.timeout);
}

Task<void> pause_before_next(Job& job) {
  const int64_t least_ns = ns(job.operation.retry_min);
  const int64_t span_ns = std::max<int64_t>(ns(job.operation.retry_max) - least_ns, 0);
  const int64_t pause_ns =
      least_ns + static_cast<int64_t>(job.dice.next() % (static_cast<uint64_t>(span_ns) + 1));
  job.runner.pause.begin(job.core.now_ns() + std::max<int64_t>(pause_ns, 1));
  co_await job.runner.pause;
}

}  // namespace

Task<void> perform_tries(Job& job) {
  Connection& connection = job.runner.connection;
  const Traffic before = job.runner.traffic;
  Outcome& outcome = job.outcome;
  const uint32_t tries = std::max<uint32_t>(job.operation.tries, 1);
  for (uint32_t attempt = 1;; ++attempt) {
    outcome.tries = static_cast<uint16_t>(attempt);
    outcome.phase_ns.fill(-1);
    job.try_began_ns = job.core.now_ns();
    job.words.clear();
    outcome.pack_bytes = 0;
    outcome.pack_objects = 0;
    job.kept.reset();
    const int64_t timeout_ns = ns(job.operation.timeout);
    connection.set_patience(
        {.stall_ns = ns(job.operation.stall), .due_ns = timeout_ns > 0 ? job.core.now_ns() + timeout_ns : 0});
    outcome.failure = co_await perform_try(job);
    if (is_final(outcome.failure) || attempt == tries || connection.is_stopped()) break;
    co_await pause_before_next(job);
    if (connection.is_stopped()) break;
  }
  if (outcome.failure == Failure::none && !outcome.vanished) job.mark_now(Phase::done);
  if (outcome.failure != Failure::none) job.kept.reset();
  if (job.words.empty()) job.words = words_of_wait(job);
  const Traffic& after = job.runner.traffic;
  outcome.bytes_received = after.received - before.received;
  outcome.bytes_sent = after.sent - before.sent;
  outcome.stalls = static_cast<uint16_t>(after.stalls - before.stalls);
  outcome.connections = static_cast<uint16_t>(after.connections - before.connections);
}

}  // namespace breakwater::storm
