#include "client/storm_threads.h"

#include <pthread.h>
#include <sys/resource.h>

#include "client/limits.h"
#include "core/core.h"
#include "ring/sys.h"

namespace breakwater::storm {

namespace {

// One for each connection, and a few.
void take_all_descriptors() noexcept {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

StormThreads::StormThreads(const StormPlan& plan) : plan_(plan), pushes_(plan.arrivals) {
  for (uint32_t index = 0; index < plan.scenario.cores; ++index) cores_.emplace_back().all = this;
}

StormThreads::~StormThreads() {
  int waiting = 0;
  if (go_.compare_exchange_strong(waiting, 2)) go_.notify_all();
  abort();
  join();
}

std::string StormThreads::open() {
  take_all_descriptors();
  for (uint32_t index = 0; index < cores_.size(); ++index)
    cores_[index].thread = std::thread([this, index] { run(index); });
  std::string failure;
  for (OneCore& one : cores_) {
    one.ready.wait(0);
    if (one.ready.load() == 2) failure = one.failure;
  }
  return failure;
}

void StormThreads::begin(int64_t lead_ns) {
  plan_.start_ns = sys::monotonic_ns() + lead_ns;
  for (OneCore& one : cores_) one.collector = std::make_unique<Collector>(plan_.scenario, plan_.start_ns);
  go_.store(1);
  go_.notify_all();
}

void StormThreads::tell_all(Mailbox::Message message) noexcept {
  for (OneCore& one : cores_) one.mailbox.post(message);
}

void StormThreads::abort() noexcept {
  tell_all(Mailbox::stop_now);
}

void StormThreads::join() {
  for (OneCore& one : cores_)
    if (one.thread.joinable()) one.thread.join();
}

Progress StormThreads::progress() const noexcept {
  Progress all;
  for (const OneCore& one : cores_) all.add(one.collector->progress());
  return all;
}

std::vector<const Collector*> StormThreads::collectors() const {
  std::vector<const Collector*> all;
  for (const OneCore& one : cores_) all.push_back(one.collector.get());
  return all;
}

// ---- one core's thread

void StormThreads::run(uint32_t index) {
  OneCore& one = cores_[index];
  pthread_setname_np(pthread_self(), ("storm-" + std::to_string(index)).c_str());
  const std::unique_ptr<Core> core =
      Core::open(index, core_limits(), one.stats, one.log, one.mailbox, one.failure);
  one.ready.store(core != nullptr ? 1 : 2);
  one.ready.notify_one();
  go_.wait(0);
  if (core != nullptr && go_.load() == 1) serve(one, *core);
  ended_.fetch_add(1);
}

void StormThreads::serve(OneCore& one, Core& core) {
  one.core = &core;
  Storm::Listener listener;
  listener.context = &one;
  listener.on_outcome = [](void* context, const Outcome& outcome, std::string_view words) {
    static_cast<OneCore*>(context)->collector->record(outcome, words);
  };
  listener.on_lag = [](void* context, int64_t late_ns) {
    static_cast<OneCore*>(context)->collector->lagged(late_ns);
  };
  // A core's places for pushes are looked at by that core alone, so all are told, itself among them.
  listener.on_push = [](void* context) { static_cast<OneCore*>(context)->all->tell_all(Mailbox::report); };
  listener.on_over = [](void* context) {
    Core& its = *static_cast<OneCore*>(context)->core;
    its.mailbox().close();
    its.stop();
  };
  Storm storm(core, plan_, pushes_, listener);
  one.storm = &storm;
  core.mailbox().listen(core.ring(), on_message, &one);
  storm.begin();
  core.run();
}

void StormThreads::on_message(void* context, uint32_t messages) {
  Storm& storm = *static_cast<OneCore*>(context)->storm;
  if ((messages & Mailbox::report) != 0) storm.look_at_pushes();
  if ((messages & Mailbox::stop_now) != 0) storm.abort();
}

}  // namespace breakwater::storm
