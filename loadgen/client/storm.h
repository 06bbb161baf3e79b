// Storm: one core's share of a storm. It begins every arrival of its runners at its time, and ends with
// nothing in flight.
//
// Open loop: the intended starts do not move, whatever the answers do. An arrival whose runner is busy, or for
// which no connection may be opened yet (connections_max), waits, and its latency counts from its intended
// start. How late the core itself came to an arrival is told to the Collector: that is the generator's lag,
// and not the server's.
//
// Closed loop: every runner of the core goes on with the next operation when the last one has ended and its
// think time is over; there is no intended start but the actual one.
//
// At `length` nothing new begins. What has come due by then goes on for `grace`; then whatever still runs, or
// still waits, is counted as timed out.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "client/job.h"
#include "client/places.h"
#include "client/runner.h"
#include "client/schedule.h"
#include "core/core.h"
#include "coro/scope.h"
#include "measure/collector.h"

namespace breakwater::storm {

class Storm {
 public:
  using Hook = void (*)(void* context);

  // Called once, when all is over; and, for the other cores, when a push that is followed has ended.
  struct Hooks {
    Hook on_over = nullptr;
    Hook on_push = nullptr;
    void* context = nullptr;
  };

  // `plan`, `pushes` and `collector` outlive it.
  Storm(Core& core, const StormPlan& plan, Pushes& pushes, Collector& collector, const Hooks& hooks);
  ~Storm();
  Storm(const Storm&) = delete;
  Storm& operator=(const Storm&) = delete;

  void begin();
  void look_at_pushes();  // some have ended
  // Now: what runs or waits is not counted.
  void abort() noexcept;

 private:
  struct Waiting {
    int64_t at_ns;
    uint32_t arrival;
    uint32_t next;  // in its runner's queue
  };
  static void on_due(void* context);
  static void on_length(void* context);
  static void on_grace(void* context);
  void begin_due();
  void arm_next() noexcept;
  void come_due(const DueArrival& due);
  void put_in_queue(Runner& runner, const DueArrival& due);
  DueArrival take_from_queue(Runner& runner) noexcept;
  Runner& runner_of(const Arrival& arrival) noexcept { return runners_[arrival.runner / cores_]; }

  static Task<void> work_off(Storm* self, Runner* runner);
  static Task<void> go_round(Storm* self, Runner* runner);
  static Task<void> inspect(Storm* self, std::unique_ptr<KeptPack> pack, Outcome outcome);
  Task<void> perform(Runner& runner, const Arrival& arrival, uint32_t index, int64_t intended_ns);
  void record(Job& job);
  void stop_all() noexcept;
  void look_whether_over() noexcept;

  Core& core_;
  const StormPlan& plan_;
  const uint32_t cores_;
  Pushes& pushes_;
  Collector& collector_;
  const Hooks hooks_;
  std::deque<Runner> runners_;  // those of this core: r = index * cores + core
  std::vector<KnownObjects> known_;
  Schedule schedule_;
  std::vector<Waiting> waiting_;  // places of runners' queues
  uint32_t free_waiting_ = Arrival::nobody;
  Places places_;
  Scope scope_;
  Timer due_, length_, grace_;
  bool no_more_begin_ = false;  // `length` is over
  bool stopped_ = false;        // `grace` too
  bool aborted_ = false;
  bool said_over_ = false;
};

}  // namespace breakwater::storm
