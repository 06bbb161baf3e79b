#include "origin/faults.h"

#include <array>

#include <nlohmann/json.hpp>

#include "base/parse_number.h"
#include "base/rng.h"
#include "config/units.h"
#include "wire/uri.h"

namespace breakwater::storm::origin {

namespace {

struct KindWords {
  std::string_view name, sentence;
  Place usual;  // where it happens unless `on` says so
};
// In the order of FaultKind.
constexpr std::array<KindWords, 10> kinds = {{
    {"slow", "so many bytes a second: rate=16KiB", Place::pack},
    {"hang", "not a byte more, until the client goes", Place::pack},
    {"reset", "the connection breaks", Place::pack},
    {"error", "a status instead of the answer: status=500", Place::any},
    {"busy", "a 503 with Retry-After: retry_after=1", Place::any},
    {"truncate", "an end as if all were there", Place::pack},
    {"err", "an ERR line instead of the answer", Place::any},
    {"sideband", "a fatal message on band 3 instead of the rest of the pack", Place::pack},
    {"stale", "refs as they were before the last change", Place::refs},
    {"flip", "one bit of the pack is wrong", Place::pack},
}};
constexpr std::array<std::string_view, 4> places = {"refs", "pack", "push", "any"};
constexpr std::string_view keys =
    "kind, on, repository, share, count, seed, status, retry_after, after and rate";

// "refs, pack, push or any".
template <size_t count>
std::string one_of(const std::array<std::string_view, count>& words) {
  std::string text;
  for (size_t index = 0; index < count; index++) {
    if (index > 0) text += index + 1 < count ? ", " : " or ";
    text += words[index];
  }
  return text;
}

constexpr std::array<std::string_view, kinds.size()> kind_names = [] {
  std::array<std::string_view, kinds.size()> names;
  for (size_t index = 0; index < kinds.size(); index++) names[index] = kinds[index].name;
  return names;
}();

template <typename Value, size_t count>
bool read_word(std::string_view text, const std::array<std::string_view, count>& words, Value& value) {
  for (size_t index = 0; index < count; index++) {
    if (text != words[index]) continue;
    value = static_cast<Value>(index);
    return true;
  }
  return false;
}

bool read_size(std::string_view text, std::optional<uint64_t>& bytes) {
  bytes = config::parse_size(text);
  return bytes.has_value();
}

}  // namespace

std::string_view name(FaultKind kind) noexcept {
  return kinds[static_cast<size_t>(kind)].name;
}

std::string_view name(Place place) noexcept {
  return places[static_cast<size_t>(place)];
}

std::string faults_help() {
  std::string text = "Faults, where --control listens: PUT /faults?kind=KIND\n";
  const auto add = [&text](std::string_view word, std::string_view sentence) {
    constexpr size_t columns = 24;
    text += "  " + std::string(word) + std::string(columns - word.size(), ' ') + std::string(sentence) + "\n";
  };
  for (const KindWords& each : kinds) add(each.name, each.sentence);
  text += "and behind it, as needed,\n";
  add("&on=PLACE", "answers to which it happens: " + one_of(places));
  add("&repository=NAME", "of one repository; *: of all of them");
  add("&share=0.001", "of these answers, by dice; &seed=NUMBER for others");
  add("&count=5", "so many times at most");
  add("&after=BYTES", "of the answer's body; by dice if it is not said");
  return text;
}

// Empty, or what the key takes.
std::string Faults::read(std::string_view key, std::string_view value, Draft& draft) {
  Order& order = draft.order;
  const auto unless = [](bool is_good, std::string_view why) {
    return is_good ? std::string() : std::string(why);
  };
  if (key == "kind") {
    draft.has_kind = read_word(value, kind_names, order.fault.kind);
    return draft.has_kind ? "" : "it is " + one_of(kind_names);
  }
  if (key == "on") return read_word(value, places, draft.place.emplace()) ? "" : "it is " + one_of(places);
  if (key == "repository") {
    order.repository = value;
    return unless(!value.empty(), "it takes a name, or *");
  }
  if (key == "share")
    return unless(parse_number(value, order.share) && order.share >= 0 && order.share <= 1,
                  "it takes 0 to 1, like 0.001");
  if (key == "count") return unless(parse_number(value, order.count), "it takes a whole number");
  if (key == "seed") return unless(parse_number(value, order.seed), "it takes a whole number");
  if (key == "retry_after")
    return unless(parse_number(value, order.fault.retry_after), "it takes seconds, a whole number");
  if (key == "after")
    return unless(read_size(value, order.fault.after), "it takes a size like 4096 or 64KiB");
  if (key == "status") {
    uint16_t& status = order.fault.status;
    return unless(parse_number(value, status) && status >= 400 && status <= 599, "it takes 400 to 599");
  }
  if (key == "rate") {
    std::optional<uint64_t> rate;
    const bool is_good = read_size(value, rate) && *rate > 0;
    if (is_good) order.fault.rate = *rate;
    return unless(is_good, "it takes a size for a second, like 64KiB");
  }
  return "keys are " + std::string(keys);
}

std::expected<uint32_t, std::string> Faults::add(std::string_view query) {
  Draft draft;
  Order& order = draft.order;
  order.repository = "*";
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    const size_t equals = std::min(pair.find('='), pair.size());
    const std::string_view key = pair.substr(0, equals);
    std::array<char, 256> room;
    const std::optional<std::string_view> decoded =
        wire::percent_decode(pair.substr(std::min(equals + 1, pair.size())), room);
    const std::string why = read(key, decoded.value_or(""), draft);
    if (!why.empty()) return std::unexpected("'" + std::string(pair) + "' is not understood: " + why);
  }
  if (!draft.has_kind) return std::unexpected("kind= is missing: it is " + one_of(kind_names));
  order.place = draft.place.value_or(kinds[static_cast<size_t>(order.fault.kind)].usual);
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
