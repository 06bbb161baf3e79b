#include "backends/admission.h"

namespace breakwater::backends {

std::string_view name(Limit limit) noexcept {
  constexpr std::array<std::string_view, 11> names = {
      "",          "max_operations",     "max_fetches",    "max_pushes",      "max_lfs",
      "max_web",   "max_per_repository", "max_per_client", "max of a server", "max_advertisements",
      "max_clones"};
  return names[static_cast<size_t>(limit)];
}

std::string_view name(OperationClass what) noexcept {
  constexpr std::array<std::string_view, operation_classes> names = {"fetch", "push", "lfs", "web"};
  return names[static_cast<size_t>(what)];
}

Admission::Admission(const config::Admission& limits)
    : limits_(limits),
      has_limits_(limits.has_any()),
      by_repository_(std::make_unique<Table>()),
      by_client_(std::make_unique<Table>()) {
  if (limits.adaptive_min != 0) adaptive_.emplace(limits.adaptive_min, limits.operations);
}

void Admission::count(const Ask& ask, int32_t change) noexcept {
  const auto add = [change](std::atomic<uint32_t>& counter) {
    counter.fetch_add(static_cast<uint32_t>(change), std::memory_order_relaxed);
  };
  add(inside_);
  add(by_class_[static_cast<size_t>(ask.what)]);
  if (ask.repository != 0) add((*by_repository_)[ask.repository % table_entries]);
  add((*by_client_)[ask.client % table_entries]);
}

// Counted first and looked at then: of two that race for the last place at most one gets it. Both may be
// turned away, and look again soon.
Limit Admission::enter(const Ask& ask) noexcept {
  count(ask, 1);
  if (adaptive_ && inside() >= adaptive_->limit()) adaptive_->reached();
  const Limit limit = over(ask);
  if (limit != Limit::none) count(ask, -1);
  return limit;
}

Limit Admission::enter(Part part) noexcept {
  if (take_below(of(part), limit_of(part))) return Limit::none;
  return part == Part::clone ? Limit::clones : Limit::advertisements;
}

uint32_t Admission::limit_of(Part part) const noexcept {
  if (part == Part::none) return 0;
  return part == Part::clone ? limits_.clones : limits_.advertisements;
}

Limit Admission::over(const Ask& ask) const noexcept {
  const auto exceeds = [](const std::atomic<uint32_t>& counter, uint32_t limit) {
    return limit != 0 && counter.load(std::memory_order_relaxed) > limit;
  };
  constexpr std::array<Limit, operation_classes> class_limits = {Limit::fetches, Limit::pushes, Limit::lfs,
                                                                 Limit::web};
  const std::array<uint32_t, operation_classes> class_values = {limits_.fetches, limits_.pushes, limits_.lfs,
                                                                limits_.web};
  const size_t what = static_cast<size_t>(ask.what);
  if (exceeds(inside_, operations_limit())) return Limit::operations;
  if (exceeds(by_class_[what], class_values[what])) return class_limits[what];
  if (ask.repository != 0 &&
      exceeds((*by_repository_)[ask.repository % table_entries], limits_.per_repository))
    return Limit::repository;
  if (exceeds((*by_client_)[ask.client % table_entries], limits_.per_client)) return Limit::client;
  return Limit::none;
}

}  // namespace breakwater::backends
