#include "origin/faults.h"

#include <array>

#include <nlohmann/json.hpp>

#include "base/parse_number.h"
#include "base/rng.h"
#include "config/units.h"
#include "wire/uri.h"

namespace breakwater::storm::origin {

namespace {

constexpr std::array<std::string_view, 10> kinds = {"slow",     "hang", "reset",    "error", "busy",
                                                    "truncate", "err",  "sideband", "stale", "flip"};
constexpr std::array<std::string_view, 4> places = {"refs", "pack", "push", "any"};

template <typename Value, size_t count>
bool read_word(std::string_view text, const std::array<std::string_view, count>& words, Value& value) {
  for (size_t index = 0; index < count; index++) {
    if (text != words[index]) continue;
    value = static_cast<Value>(index);
    return true;
  }
  return false;
}

Place usual_place(FaultKind kind) noexcept {
  switch (kind) {
    case FaultKind::stale:
      return Place::refs;
    case FaultKind::error:
    case FaultKind::busy:
    case FaultKind::err:
      return Place::any;
    default:
      return Place::pack;
  }
}

}  // namespace

std::string_view name(FaultKind kind) noexcept {
  return kinds[static_cast<size_t>(kind)];
}

std::string_view name(Place place) noexcept {
  return places[static_cast<size_t>(place)];
}

std::expected<uint32_t, std::string> Faults::add(std::string_view query) {
  Order order;
  order.repository = "*";
  std::optional<Place> place;
  bool has_kind = false;
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    const size_t equals = std::min(pair.find('='), pair.size());
    const std::string_view key = pair.substr(0, equals);
    std::array<char, 256> room;
    const std::optional<std::string_view> decoded =
        wire::percent_decode(pair.substr(std::min(equals + 1, pair.size())), room);
    const std::string_view value = decoded.value_or("");
    bool is_understood = false;
    if (key == "kind") {
      is_understood = has_kind = read_word(value, kinds, order.fault.kind);
    } else if (key == "on") {
      is_understood = read_word(value, places, place.emplace());
    } else if (key == "repository") {
      order.repository = value;
      is_understood = !value.empty();
    } else if (key == "share") {
      is_understood = parse_number(value, order.share) && order.share >= 0 && order.share <= 1;
    } else if (key == "count") {
      is_understood = parse_number(value, order.count);
    } else if (key == "seed") {
      is_understood = parse_number(value, order.seed);
    } else if (key == "status") {
      is_understood =
          parse_number(value, order.fault.status) && order.fault.status >= 400 && order.fault.status <= 599;
    } else if (key == "retry_after") {
      is_understood = parse_number(value, order.fault.retry_after);
    } else if (key == "after") {
      order.fault.after = config::parse_size(value);
      is_understood = order.fault.after.has_value();
    } else if (key == "rate") {
      const std::optional<uint64_t> rate = config::parse_size(value);
      order.fault.rate = rate.value_or(0);
      is_understood = order.fault.rate > 0;
    }
    if (!is_understood) return std::unexpected("'" + std::string(pair) + "' is not understood");
  }
  if (!has_kind)
    return std::unexpected(
        "kind= is missing: slow, hang, reset, error, busy, truncate, err, sideband, stale or flip");
  order.place = place.value_or(usual_place(order.fault.kind));
  const std::scoped_lock lock(mutex_);
  if (orders_.size() == orders_max) return std::unexpected("there are as many faults as there may be");
  order.fault.order = ++last_;
  orders_.push_back(std::move(order));
  some_.store(true);
  return last_;
}

void Faults::clear() {
  const std::scoped_lock lock(mutex_);
  orders_.clear();
  some_.store(false);
}

std::optional<Fault> Faults::choose(std::string_view repository, Place place) {
  if (!some_.load(std::memory_order_relaxed)) return std::nullopt;
  const std::scoped_lock lock(mutex_);
  for (Order& order : orders_) {
    if (order.place != Place::any && order.place != place) continue;
    if (order.repository != "*" && order.repository != repository) continue;
    Rng dice(order.seed * 0x9e3779b97f4a7c15ull + order.matched++);
    const double chance = static_cast<double>(dice.next() >> 11) * 0x1p-53;
    if (chance >= order.share || order.chosen >= order.count) continue;
    order.chosen++;
    Fault fault = order.fault;
    fault.dice = dice.next();
    return fault;
  }
  return std::nullopt;
}

Faults::Order* Faults::find(uint32_t number) {
  for (Order& order : orders_) {
    if (order.fault.order == number) return &order;
  }
  return nullptr;
}

void Faults::given(const Fault& fault) {
  const std::scoped_lock lock(mutex_);
  if (Order* const order = find(fault.order)) order->given++;
}

void Faults::not_given(const Fault& fault) {
  const std::scoped_lock lock(mutex_);
  if (Order* const order = find(fault.order)) order->chosen--;
}

std::string Faults::json() const {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  const std::scoped_lock lock(mutex_);
  for (const Order& order : orders_) {
    nlohmann::ordered_json each = {{"order", order.fault.order}, {"kind", name(order.fault.kind)},
                                   {"on", name(order.place)},    {"repository", order.repository},
                                   {"share", order.share},       {"matched", order.matched},
                                   {"chosen", order.chosen},     {"given", order.given}};
    if (order.count != UINT64_MAX) each["count"] = order.count;
    if (order.fault.after) each["after"] = *order.fault.after;
    list.push_back(std::move(each));
  }
  return list.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace breakwater::storm::origin
