#include "plan/arrivals.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "base/rng.h"
#include "base/second.h"

namespace breakwater::storm {

namespace {

// Dice with as many sides as are wanted.
class Dice {
 public:
  explicit Dice(uint64_t seed) noexcept : rng_(seed) {}
  double share() noexcept { return static_cast<double>(rng_.next() >> 11) * 0x1p-53; }  // in [0, 1)
  uint32_t below(uint32_t sides) noexcept { return static_cast<uint32_t>(share() * sides); }
  int64_t within(int64_t span_ns) noexcept {
    return static_cast<int64_t>(share() * static_cast<double>(span_ns));
  }

 private:
  Rng rng_;
};

class Planner {
 public:
  explicit Planner(const Scenario& scenario) : scenario_(scenario), order_(scenario.runners.count) {
    std::iota(order_.begin(), order_.end(), 0);
    Dice dice(scenario.seed);
    for (uint32_t left = scenario.runners.count; left > 1; --left)
      std::swap(order_[left - 1], order_[dice.below(left)]);
  }

  std::expected<std::vector<Arrival>, std::string> plan() {
    for (size_t i = 0; i < scenario_.arrivals.size() && !too_many_; ++i) {
      // Each has dice of its own, so that a change of one leaves the others as they were.
      Dice dice(scenario_.seed ^ (i + 1) * 0x9e3779b97f4a7c15ull);
      add(scenario_.arrivals[i], dice);
    }
    if (too_many_)
      return std::unexpected("more than " + std::to_string(arrivals_max) +
                             " operations: lower the rate, or make it shorter");
    if (all_.empty()) return std::unexpected("no operation would ever begin");
    sort();
    give_runners();
    return std::move(all_);
  }

 private:
  using Shape = Arrivals::Shape;

  void add(const Arrivals& of, Dice& dice) {
    switch (of.shape) {
      case Shape::constant:
      case Shape::poisson:
      case Shape::ramp:
      case Shape::step:
        return add_stream(of, dice);
      case Shape::burst:
        return add_bursts(of, dice);
      case Shape::fan_out:
        return add_fan_outs(of, dice);
      case Shape::closed:
        for (uint32_t runner = 0; runner < scenario_.runners.count; ++runner) add(of, dice, ns(of.start));
        return;
      case Shape::replay:
        return add_logged(of, dice);
    }
  }

  int64_t end_ns(const Arrivals& of) const {
    const int64_t storm = ns(scenario_.length);
    return of.length.count() == 0 ? storm : std::min(storm, ns(of.start) + ns(of.length));
  }

  // What of all that it has was due by then: the integral of the rate, over seconds.
  static double due_by(const Arrivals& of, double at_s, double length_s) {
    if (of.shape == Shape::ramp)
      return of.rate * at_s + (of.rate_to - of.rate) * at_s * at_s / (2 * length_s);
    if (of.shape != Shape::step || of.steps < 2) return of.rate * at_s;
    double due = 0;
    const double step_s = length_s / of.steps;
    for (uint32_t step = 0; step < of.steps && at_s > 0; ++step, at_s -= step_s)
      due += rate_of_step(of, step) * std::min(at_s, step_s);
    return due;
  }
  static double rate_of_step(const Arrivals& of, uint32_t step) {
    return of.rate + (of.rate_to - of.rate) * step / (of.steps - 1);
  }

  // When so much of it is due: the inverse, by halving.
  static double when_due(const Arrivals& of, double due, double length_s) {
    double low = 0, high = length_s;
    for (int i = 0; i < 60; ++i) {
      const double middle = (low + high) / 2;
      (due_by(of, middle, length_s) < due ? low : high) = middle;
    }
    return high;
  }

  void add_stream(const Arrivals& of, Dice& dice) {
    const double length_s = static_cast<double>(end_ns(of) - ns(of.start)) / second_ns;
    if (length_s <= 0) return;
    const double all = due_by(of, length_s, length_s);
    double due = 0;
    while (!too_many_) {
      // Steady ones come at the middle of their shares; by Poisson's the shares are exponential.
      const double before = due;
      due += of.shape == Shape::poisson ? -std::log(1 - dice.share()) : 1;
      const double at = of.shape == Shape::poisson ? due : before + 0.5;
      if (at >= all) return;
      const bool is_steady = of.shape == Shape::constant || of.shape == Shape::poisson;
      const double at_s = is_steady ? at / of.rate : when_due(of, at, length_s);
      add(of, dice, ns(of.start) + static_cast<int64_t>(at_s * second_ns));
    }
  }

  template <typename Once>
  void every(const Arrivals& of, Once once) {
    for (int64_t at_ns = ns(of.start); at_ns < end_ns(of) && !too_many_; at_ns += ns(of.every)) {
      once(at_ns);
      if (of.every.count() == 0) return;
    }
  }

  void add_bursts(const Arrivals& of, Dice& dice) {
    every(of, [&](int64_t at_ns) {
      for (uint32_t i = 0; i < of.count && !too_many_; ++i) add(of, dice, at_ns + dice.within(ns(of.window)));
    });
  }

  void add_fan_outs(const Arrivals& of, Dice& dice) {
    every(of, [&](int64_t at_ns) {
      add(of, dice, at_ns);
      const size_t push = all_.size() - 1;
      all_[push].operation = static_cast<uint16_t>(of.push);
      const size_t first = all_.size();
      for (uint32_t i = 0; i < of.count && !too_many_; ++i) {
        add(of, dice, dice.within(ns(of.window)));
        all_.back().repository = all_[push].repository;
        all_.back().follows = static_cast<uint32_t>(push);
      }
      std::sort(all_.begin() + static_cast<ptrdiff_t>(first), all_.end(),
                [](const Arrival& a, const Arrival& b) { return a.at_ns < b.at_ns; });
    });
  }

  void add_logged(const Arrivals& of, Dice& dice) {
    const std::vector<uint32_t> repositories = repositories_of(of.log);
    std::array<std::vector<uint32_t>, LoggedOperation::kinds> suited;
    for (const uint32_t each : of.operations)
      for (size_t kind = 0; kind < suited.size(); ++kind)
        if (suits(scenario_.operations[each].verb, static_cast<LoggedOperation::Kind>(kind)))
          suited[kind].push_back(each);
    for (const LoggedOperation& logged : of.log.operations) {
      const int64_t at_ns = ns(of.start) + logged.at_us * 100'000 / of.speed_percent;
      if (at_ns >= end_ns(of) || too_many_) return;
      const std::vector<uint32_t>& among = suited[static_cast<size_t>(logged.kind)];
      if (!among.empty()) add(of, at_ns, choose(among, dice), repositories[logged.repository]);
    }
  }
  static bool suits(Verb verb, LoggedOperation::Kind kind) {
    switch (kind) {
      case LoggedOperation::Kind::list:
        return verb == Verb::ls_remote;
      case LoggedOperation::Kind::fetch:
        return verb == Verb::clone || verb == Verb::fetch || verb == Verb::fetch_object || verb == Verb::tags;
      case LoggedOperation::Kind::push:
        return verb == Verb::push;
      case LoggedOperation::Kind::dumb:
        return verb == Verb::dumb;
    }
    return false;
  }
  // Those of the same name; to the others the target's repositories are given in turn.
  std::vector<uint32_t> repositories_of(const AccessLog& log) const {
    const std::vector<std::string>& all = scenario_.target.repositories;
    std::vector<uint32_t> given;
    for (size_t i = 0; i < log.repositories.size(); ++i) {
      const std::string path = "/" + log.repositories[i];
      size_t same = 0;
      while (same < all.size() && all[same] != path && all[same] != path + ".git") ++same;
      given.push_back(static_cast<uint32_t>(same < all.size() ? same : i % all.size()));
    }
    return given;
  }

  void add(const Arrivals& of, Dice& dice, int64_t at_ns) {
    const uint16_t operation = choose(of.operations, dice);
    add(of, at_ns, operation, dice.below(static_cast<uint32_t>(scenario_.target.repositories.size())));
  }
  void add(const Arrivals& of, int64_t at_ns, uint16_t operation, uint32_t repository) {
    too_many_ = all_.size() == arrivals_max;
    if (too_many_) return;
    all_.push_back({.at_ns = at_ns,
                    .operation = operation,
                    .table = static_cast<uint16_t>(&of - scenario_.arrivals.data()),
                    .repository = repository});
  }

  uint16_t choose(const std::vector<uint32_t>& among, Dice& dice) {
    uint32_t sum = 0;
    for (const uint32_t each : among) sum += scenario_.operations[each].weight;
    uint32_t side = dice.below(sum);
    for (const uint32_t each : among) {
      const uint32_t weight = scenario_.operations[each].weight;
      if (side < weight) return static_cast<uint16_t>(each);
      side -= weight;
    }
    return static_cast<uint16_t>(among.back());
  }

  // By time; those that follow a push behind it, wherever it goes.
  void sort() {
    std::vector<uint32_t> order(all_.size());
    std::iota(order.begin(), order.end(), 0);
    const auto time_of = [this](uint32_t i) {
      const Arrival& arrival = all_[i];
      return arrival.follows == Arrival::nobody ? arrival.at_ns : all_[arrival.follows].at_ns;
    };
    // Of one time each push and those behind it stay together.
    std::stable_sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
      if (time_of(a) != time_of(b)) return time_of(a) < time_of(b);
      return leader_of(a) < leader_of(b);
    });
    std::vector<uint32_t> place(all_.size());
    for (uint32_t i = 0; i < order.size(); ++i) place[order[i]] = i;
    std::vector<Arrival> sorted(all_.size());
    for (uint32_t i = 0; i < order.size(); ++i) {
      sorted[i] = all_[order[i]];
      if (sorted[i].follows != Arrival::nobody) sorted[i].follows = place[sorted[i].follows];
    }
    all_ = std::move(sorted);
  }
  uint32_t leader_of(uint32_t i) const { return all_[i].follows == Arrival::nobody ? i : all_[i].follows; }

  void give_runners() {
    size_t next = 0;
    for (Arrival& arrival : all_) {
      arrival.runner = order_[next];
      next = (next + 1) % order_.size();
    }
  }

  const Scenario& scenario_;
  std::vector<uint32_t> order_;  // of runners
  std::vector<Arrival> all_;
  bool too_many_ = false;
};

}  // namespace

std::expected<std::vector<Arrival>, std::string> plan_arrivals(const Scenario& scenario) {
  return Planner(scenario).plan();
}

}  // namespace breakwater::storm
