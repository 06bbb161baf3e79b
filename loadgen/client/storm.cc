#include "client/storm.h"

#include <algorithm>
#include <utility>

#include "client/operations.h"

namespace breakwater::storm {

Storm::Storm(Core& core, const StormPlan& plan, Pushes& pushes, const Listener& listener)
    : core_(core),
      plan_(plan),
      cores_(plan.scenario.cores),
      pushes_(pushes),
      listener_(listener),
      known_(plan.scenario.target.repositories.size()),
      schedule_(plan.arrivals, pushes, core.index(), plan.scenario.cores, plan.start_ns),
      places_(core, places_of_core(plan.scenario, core.index())),
      due_(on_due, this),
      length_(on_length, this),
      grace_(on_grace, this) {
  scope_.when_empty([](void* self) { static_cast<Storm*>(self)->look_whether_over(); }, this);
  for (uint32_t runner = core.index(); runner < plan.scenario.runners.count; runner += cores_)
    runners_.emplace_back(core, plan.site, plan.scenario, runner);
}

Storm::~Storm() {
  BW_ASSERT(scope_.empty());
  for (Runner& runner : runners_) runner.connection.close();
}

// Its share of `connections_max`, at least one; 0: no bound.
uint32_t Storm::places_of_core(const Scenario& scenario, uint32_t core) noexcept {
  const uint32_t most = scenario.runners.connections_max;
  if (most == 0) return 0;
  return std::max(most / scenario.cores + (core < most % scenario.cores ? 1 : 0), 1u);
}

// ---- time

void Storm::begin() {
  const int64_t length_ns = plan_.start_ns + ns(plan_.scenario.length);
  core_.timers().arm(length_, length_ns);
  core_.timers().arm(grace_, length_ns + ns(plan_.scenario.grace));
  begin_due();
  look_whether_over();
}

void Storm::on_due(void* context) {
  static_cast<Storm*>(context)->begin_due();
}

void Storm::begin_due() {
  while (!no_more_begin_) {
    const std::optional<DueArrival> due = schedule_.take_due(core_.now_ns());
    if (!due) break;
    note_lag(core_.now_ns() - due->at_ns);
    come_due(*due);
  }
  const std::optional<int64_t> next_ns = schedule_.next_ns();
  if (next_ns && !no_more_begin_) core_.timers().arm(due_, *next_ns);
}

void Storm::note_lag(int64_t late_ns) noexcept {
  if (listener_.on_lag != nullptr) listener_.on_lag(listener_.context, late_ns);
}

void Storm::look_at_pushes() {
  if (no_more_begin_) return;
  schedule_.look_at_pushes();
  begin_due();
  look_whether_over();
}

void Storm::on_length(void* context) {
  Storm& self = *static_cast<Storm*>(context);
  self.begin_due();
  self.no_more_begin_ = true;
  self.due_.disarm();
  for (Runner& runner : self.runners_)
    if (runner.thinks) runner.pause.end();
  self.look_whether_over();
}

void Storm::on_grace(void* context) {
  Storm& self = *static_cast<Storm*>(context);
  self.stop_all();
  self.look_whether_over();
}

// What is in flight ends with the next turns.
void Storm::stop_all() noexcept {
  no_more_begin_ = stopped_ = true;
  for (Timer* const timer : {&due_, &length_, &grace_}) timer->disarm();
  places_.close();
  for (Runner& runner : runners_) runner.stop();
}

void Storm::abort() noexcept {
  aborted_ = true;
  stop_all();
  look_whether_over();
}

void Storm::look_whether_over() noexcept {
  if (said_over_ || !scope_.empty() || !(no_more_begin_ || schedule_.is_over())) return;
  said_over_ = true;
  for (Timer* const timer : {&due_, &length_, &grace_}) timer->disarm();
  if (listener_.on_over != nullptr) listener_.on_over(listener_.context);
}

// ---- what has come due waits at its runner

void Storm::come_due(const DueArrival& due) {
  Runner& runner = runner_of(plan_.arrivals[due.arrival]);
  put_in_queue(runner, due);
  if (runner.is_busy) return;
  runner.is_busy = true;
  scope_.spawn(work_off(this, &runner));
}

void Storm::put_in_queue(Runner& runner, const DueArrival& due) {
  uint32_t place = free_waiting_;
  if (place == Arrival::nobody) {
    place = static_cast<uint32_t>(waiting_.size());
    waiting_.emplace_back();
  } else {
    free_waiting_ = waiting_[place].next;
  }
  waiting_[place] = {due, Arrival::nobody};
  if (runner.first_waiting == Arrival::nobody)
    runner.first_waiting = place;
  else
    waiting_[runner.last_waiting].next = place;
  runner.last_waiting = place;
}

DueArrival Storm::take_from_queue(Runner& runner) noexcept {
  const uint32_t place = runner.first_waiting;
  Waiting& waiting = waiting_[place];
  runner.first_waiting = std::exchange(waiting.next, free_waiting_);
  free_waiting_ = place;
  return waiting.due;
}

// All that has come due; then, in a closed loop, one operation after the other, until the end.
Task<void> Storm::work_off(Storm* self, Runner* runner) {
  const Arrivals* loop = nullptr;
  for (;;) {
    while (runner->first_waiting != Arrival::nobody) {
      const DueArrival due = self->take_from_queue(*runner);
      const Arrival& arrival = self->plan_.arrivals[due.arrival];
      co_await self->perform(*runner, arrival, due.arrival, due.at_ns);
      if (self->is_closed(arrival)) loop = &self->plan_.scenario.arrivals[arrival.table];
    }
    if (loop == nullptr || self->no_more_begin_) break;
    co_await self->think(*runner);
    if (self->no_more_begin_ || runner->first_waiting != Arrival::nobody) continue;
    const Arrival arrival = self->next_of_loop(*runner, *loop);
    self->note_lag(0);
    co_await self->perform(*runner, arrival, Arrival::nobody, self->core_.now_ns());
  }
  runner->is_busy = false;
}

bool Storm::is_closed(const Arrival& arrival) const noexcept {
  const std::vector<Arrivals>& tables = plan_.scenario.arrivals;
  return arrival.table < tables.size() && tables[arrival.table].shape == Arrivals::Shape::closed;
}

// By dice: which operation, with their weights, and of which repository.
Arrival Storm::next_of_loop(Runner& runner, const Arrivals& arrivals) noexcept {
  uint64_t weights = 0;
  for (const uint32_t operation : arrivals.operations) weights += plan_.scenario.operations[operation].weight;
  uint64_t die = runner.dice.next() % std::max<uint64_t>(weights, 1);
  Arrival arrival{.runner = runner.index};
  for (const uint32_t operation : arrivals.operations) {
    arrival.operation = static_cast<uint16_t>(operation);
    const uint32_t weight = plan_.scenario.operations[operation].weight;
    if (die < weight) break;
    die -= weight;
  }
  arrival.repository = static_cast<uint32_t>(runner.dice.next() % known_.size());
  return arrival;
}

// Also without a think time others have their turn: an operation may fail without a wait.
Task<void> Storm::think(Runner& runner) {
  const int64_t think_ns = std::max<int64_t>(ns(plan_.scenario.runners.think), 1);
  runner.thinks = true;
  runner.pause.begin(core_.now_ns() + think_ns);
  co_await runner.pause;
  runner.thinks = false;
}

// ---- one of them

Task<void> Storm::perform(Runner& runner, const Arrival& arrival, uint32_t index, int64_t intended_ns) {
  Places::Wait place(places_);
  co_await place.granted;
  Job job{.core = core_,
          .plan = plan_,
          .runner = runner,
          .operation = plan_.scenario.operations[arrival.operation],
          .arrival = arrival,
          .known = known_[arrival.repository],
          .follows = arrival.follows == Arrival::nobody ? nullptr : pushes_.find(arrival.follows),
          .dice = Rng(
              mix(plan_.scenario.seed, index == Arrival::nobody ? runner.dice.next() : index, runner.index))};
  job.outcome.operation = arrival.operation;
  job.outcome.repository = arrival.repository;
  job.outcome.runner = runner.index;
  job.outcome.intended_ns = intended_ns;
  job.outcome.started_ns = core_.now_ns();
  if (place.is_granted()) {
    co_await perform_tries(job);
    places_.leave();
  } else {
    job.outcome.failure =
        job.fail(Failure::timed_out, "it waited for one of `connections_max` until the end");
  }
  job.outcome.ended_ns = core_.now_ns();
  const bool is_followed =
      job.operation.verb == Verb::push && index != Arrival::nobody &&
      pushes_.write(index, job.outcome.failure == Failure::none, job.pushed, core_.now_ns());
  if (is_followed && listener_.on_push != nullptr) listener_.on_push(listener_.context);
  if (job.kept != nullptr)
    scope_.spawn(inspect(this, std::move(job.kept), job.outcome));
  else
    record(job.outcome, job.words);
}

// The runner goes on meanwhile: for it the operation has ended.
Task<void> Storm::inspect(Storm* self, std::unique_ptr<KeptPack> pack, Outcome outcome) {
  const PackInspector::Verdict verdict = co_await self->plan_.inspector->inspect(self->core_, *pack);
  outcome.deeply_checked = verdict != PackInspector::Verdict::unknown;
  if (verdict == PackInspector::Verdict::corrupt) outcome.failure = Failure::corrupt;
  const bool is_corrupt = verdict == PackInspector::Verdict::corrupt;
  self->record(outcome, is_corrupt ? self->plan_.inspector->last_complaint() : std::string());
}

void Storm::record(const Outcome& outcome, std::string_view words) {
  if (!aborted_) listener_.on_outcome(listener_.context, outcome, words);
}

}  // namespace breakwater::storm
