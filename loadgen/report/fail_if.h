// Conditions under which a storm counts as failed, for CI: `--fail-if 'p99.ttfb > 500ms'`. Pure.
//
//   condition  = [ operation "." ] figure comparison value
//   figure     = percentile "." latency     p50.latency, p99.ttfb, p99.9.done, max.first_pack
//              | "failures" [ "." class ]   all, or failures.corrupt
//              | "rate"                     operations that went well, a second
//              | "ended"                    how many, failed or not
//              | "stalls" | "vanished"      how many
//              | "lag." percentile          how late the generator was; without an operation
//              | "fairness"                 Jain's index between runners; without an operation
//   operation  = a name of the storm's: clone.p99.done; without one, all of them together
//   percentile = "p" number | "max"         p50, p99.9, p99.99
//   latency    = "latency" (from the intended start), or a phase: connect, tls, challenge, advertisement,
//                refs, first_byte, ttfb (the same), first_pack, done
//   class      = connect, tls, http, status, refused, error, sideband, git, truncated, corrupt, stalled,
//                timed_out, local
//   comparison = ">" | ">=" | "<" | "<="
//   value      = number unit                times: us, ms, s or m; rate: /s, /m or /h; failures: % of those
//                                           that ended, or nothing: how many; the rest: nothing
//
// Blanks may stand around the comparison, before the unit, and at both ends. A condition about latencies of
// which there are none is met: a run in which nothing got as far must not pass.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "report/report.h"

namespace breakwater::storm {

struct Condition {
  enum class Figure : uint8_t { percentile, failed, rate, ended, stalls, vanished, lag, fairness };
  enum class Comparison : uint8_t { above, at_least, below, at_most };
  std::string text;  // as it was written
  Figure figure = Figure::failed;
  double quantile = 0;             // percentile, lag: 0 to 1; max is 1
  std::string latency;             // percentile: as latencies_named() knows it
  std::optional<Failure> failure;  // failures: of this class
  std::string operation;           // empty: of all together
  Comparison comparison = Comparison::above;
  double value = 0;       // microseconds; a share from 0 to 1; a second; or a number
  bool is_share = false;  // failures: `value` is a share
};

inline constexpr size_t condition_bytes_max = 200;

struct ConditionError {
  std::string text;      // as it was written
  size_t at = 0;         // the first byte that is wrong
  std::string sentence;  // "there is no such phase; did you mean ttfb?"
  // Three lines for a terminal, the last with a caret under what is wrong.
  std::string shown() const;
};

std::expected<Condition, ConditionError> parse_condition(std::string_view text,
                                                         std::span<const std::string> operations);

// Met: the storm counts as failed. The sentence says what was: "p99.ttfb is 612 ms, and so above 500 ms".
struct Judgement {
  bool is_met = false;
  std::string sentence;
};
Judgement judge(const Condition& condition, const Report& report);

}  // namespace breakwater::storm
