// Faults on cue: what is to go wrong, how often, and how often it did. Ordered through the control API, asked
// about before each answer, from any core.
//
// Which answers are hit follows from the fault's seed and the order in which requests come.
#pragma once

#include <atomic>
#include <cstdint>
#include <expected>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace breakwater::storm::origin {

enum class FaultKind : uint8_t {
  slow,      // so many bytes a second, `rate`
  hang,      // not a byte more, until the client goes
  reset,     // the connection breaks
  error,     // a status instead of the answer, `status`
  busy,      // 503 with Retry-After, `retry_after`
  truncate,  // an end as if all were there
  err,       // an ERR line instead of the answer
  sideband,  // a fatal message on sideband 3 instead of the rest of the pack
  stale,     // refs as they were before the last change
  flip,      // one bit of the pack is wrong
};
std::string_view name(FaultKind kind) noexcept;

// The answers to which it may happen.
enum class Place : uint8_t {
  refs,  // advertisements and ls-refs
  pack,  // a fetch's, with a pack
  push,  // a push's
  any,   // all of Git's
};
std::string_view name(Place place) noexcept;

// All kinds and keys, in lines for --help.
std::string faults_help();

// How one answer fails.
struct Fault {
  FaultKind kind = FaultKind::reset;
  uint32_t order = 0;             // whose it is
  std::optional<uint64_t> after;  // bytes of the answer's body; none: by dice
  uint64_t dice = 0;
  uint64_t rate = 16 * 1024;
  uint16_t status = 500;
  uint32_t retry_after = 1;  // seconds
};

class Faults {
 public:
  static constexpr size_t orders_max = 64;

  // A query like "kind=reset&repository=*&after=100000&share=0.001&count=5&on=pack&seed=3": the number of the
  // new order, or a sentence.
  std::expected<uint32_t, std::string> add(std::string_view query);
  void clear();
  // The first order that wants this answer.
  std::optional<Fault> choose(std::string_view repository, Place place);
  // What was chosen has reached the socket.
  void given(const Fault& fault);
  // The same has turned out to be impossible: there was nothing to break.
  void not_given(const Fault& fault);
  std::string json() const;

 private:
  struct Order {
    Fault fault;
    std::string repository;  // "*": all
    Place place = Place::any;
    double share = 1;
    uint64_t count = UINT64_MAX;  // to be chosen that many times at most
    uint64_t seed = 1;
    uint64_t matched = 0, chosen = 0, given = 0;
  };
  struct Draft {
    Order order;
    std::optional<Place> place;
    bool has_kind = false;
  };
  static std::string read(std::string_view key, std::string_view value, Draft& draft);
  Order* find(uint32_t number);

  std::atomic<bool> some_{false};
  mutable std::mutex mutex_;
  std::vector<Order> orders_;
  uint32_t last_ = 0;
};

}  // namespace breakwater::storm::origin
