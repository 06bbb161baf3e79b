// Storm: one core's share of a storm. It begins every arrival of its runners at its time, and ends with
// nothing in flight.
//
// Open loop: the intended starts do not move, whatever the answers do. An arrival whose runner is busy, or
// for which no connection may be opened yet (connections_max), waits, and its latency counts from its
// intended start. How late the core itself came to an arrival is told to the listener: that is the
// generator's lag, and not the server's.
//
// Closed loop: a runner whose first operation is of such a table goes on with the next when the last one has
// ended and its think time is over; there is no intended start then but the actual one.
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
#include "measure/outcome.h"

namespace breakwater::storm {

class Storm {
 public:
  // Who hears of it. `context` is handed to all of them.
  struct Listener {
    void* context = nullptr;
    // `words`: of a failure, what happened, or what the server said.
    void (*on_outcome)(void* context, const Outcome& outcome, std::string_view words) = nullptr;
    void (*on_lag)(void* context, int64_t late_ns) = nullptr;  // an arrival: the core came to it so late
    void (*on_push)(void* context) = nullptr;  // a push that is followed has ended: all cores should look
    void (*on_over)(void* context) = nullptr;  // once: nothing runs, and nothing will
  };

  // `plan` and `pushes` outlive it.
  Storm(Core& core, const StormPlan& plan, Pushes& pushes, const Listener& listener);
  ~Storm();
  Storm(const Storm&) = delete;
  Storm& operator=(const Storm&) = delete;

  void begin();
  void look_at_pushes();  // some have ended
  // Ends it now: what runs or waits is not counted.
  void abort() noexcept;

 private:
  struct Waiting {
    DueArrival due;
    uint32_t next = Arrival::nobody;  // in its runner's queue, or of the free ones
  };
  static void on_due(void* context);
  static void on_length(void* context);
  static void on_grace(void* context);
  void begin_due();
  void note_lag(int64_t late_ns) noexcept;
  bool is_closed(const Arrival& arrival) const noexcept;
  void come_due(const DueArrival& due);
  void put_in_queue(Runner& runner, const DueArrival& due);
  DueArrival take_from_queue(Runner& runner) noexcept;
  Runner& runner_of(const Arrival& arrival) noexcept { return runners_[arrival.runner / cores_]; }

  static Task<void> work_off(Storm* self, Runner* runner);
  static Task<void> inspect(Storm* self, std::unique_ptr<KeptPack> pack, Outcome outcome);
  static uint32_t places_of_core(const Scenario& scenario, uint32_t core) noexcept;
  Task<void> perform(Runner& runner, const Arrival& arrival, uint32_t index, int64_t intended_ns);
  Task<void> think(Runner& runner);
  Arrival next_of_loop(Runner& runner, const Arrivals& arrivals) noexcept;
  void record(const Outcome& outcome, std::string_view words);
  void stop_all() noexcept;
  void look_whether_over() noexcept;

  Core& core_;
  const StormPlan& plan_;
  const uint32_t cores_;
  Pushes& pushes_;
  const Listener listener_;
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
