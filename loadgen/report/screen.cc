#include "report/screen.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "report/summary.h"

namespace breakwater::storm {

namespace {

constexpr double recent_seconds = 5;
constexpr unsigned columns_min = 20;
constexpr unsigned spark_columns_max = 60;

enum class Look : uint8_t { plain, quiet, bad };

// One line, as wide as there is room.
class Line {
 public:
  Line(unsigned columns, bool has_colours) : left_(columns), has_colours_(has_colours) {}

  Line& add(std::string_view text, Look look = Look::plain) {
    const std::string_view shown = text.substr(0, left_);
    left_ -= static_cast<unsigned>(shown.size());
    if (!has_colours_ || look == Look::plain || shown.empty())
      text_ += shown;
    else
      text_ += fmt::format("\x1b[{}m{}\x1b[0m", look == Look::bad ? "31;1" : "2", shown);
    return *this;
  }
  unsigned left() const { return left_; }
  std::string end() { return std::move(text_) + "\n"; }

 private:
  unsigned left_;
  const bool has_colours_;
  std::string text_;
};

using Buckets = std::array<uint64_t, Progress::latency_buckets>;

// p50, p90 and p99 of what came between two moments; empty: nothing did.
std::string percentiles(const Buckets& before, const Buckets& now) {
  Buckets between{};
  uint64_t all = 0;
  for (size_t bucket = 0; bucket < between.size(); ++bucket)
    all += between[bucket] = now[bucket] - std::min(before[bucket], now[bucket]);
  if (all == 0) return {};
  const auto at = [&](double quantile) {
    return time_text(Progress::LatencyLayout::value_at(quantile, between, all));
  };
  return fmt::format("p50 {}   p90 {}   p99 {}", at(0.5), at(0.9), at(0.99));
}

std::string bar(double share, unsigned columns) {
  const unsigned full = static_cast<unsigned>(std::clamp(share, 0.0, 1.0) * columns);
  return "[" + std::string(full, '#') + std::string(columns - full, '.') + "]";
}

// The last values, each as a sign of how much of the largest it is.
std::string spark(const std::vector<uint64_t>& counts_by_then, unsigned columns) {
  static constexpr std::string_view signs = "_.-:=+*#";
  if (counts_by_then.size() < 2) return {};
  const size_t from = counts_by_then.size() - 1 - std::min<size_t>(columns, counts_by_then.size() - 1);
  uint64_t most = 1;
  for (size_t i = from; i + 1 < counts_by_then.size(); ++i)
    most = std::max(most, counts_by_then[i + 1] - counts_by_then[i]);
  std::string text;
  for (size_t i = from; i + 1 < counts_by_then.size(); ++i)
    text += signs[(counts_by_then[i + 1] - counts_by_then[i]) * (signs.size() - 1) / most];
  return text;
}

}  // namespace

Screen::Screen(const Scenario& scenario, uint64_t arrivals, bool has_colours)
    : title_(fmt::format("{} at {}:{}, {} runners", scenario.name, scenario.target.host, scenario.target.port,
                         scenario.runners.count)),
      length_seconds_(seconds(scenario.length)),
      grace_seconds_(seconds(scenario.grace)),
      arrivals_(arrivals),
      has_colours_(has_colours) {}

std::string Screen::frame(const Progress& progress, double elapsed_seconds, unsigned columns) {
  remember(progress, elapsed_seconds);
  std::string text = end();
  text += lines(progress, elapsed_seconds, std::max(columns, columns_min));
  lines_drawn_ = static_cast<unsigned>(std::ranges::count(text, '\n'));
  return text;
}

std::string Screen::end() {
  if (lines_drawn_ == 0) return {};
  std::string text = fmt::format("\x1b[{}F\x1b[J", lines_drawn_);  // so many lines up, and nothing below
  lines_drawn_ = 0;
  return text;
}

void Screen::remember(const Progress& progress, double elapsed_seconds) {
  moments_.push_back({elapsed_seconds, progress});
  // The one that is just older than what is asked for stays.
  while (moments_.size() > 2 && moments_[1].at <= elapsed_seconds - recent_seconds) moments_.pop_front();
  while (static_cast<double>(ended_by_then_.size()) <= elapsed_seconds)
    ended_by_then_.push_back(progress.ended);
}

std::string Screen::lines(const Progress& progress, double elapsed_seconds, unsigned columns) const {
  const Moment& before = moments_.front();
  const double between = std::max(elapsed_seconds - before.at, 1e-3);
  const auto line = [&](std::string_view what) {
    return Line(columns, has_colours_).add(fmt::format("{:<12}", what), Look::quiet);
  };
  std::string text = Line(columns, has_colours_).add(title_).end();

  const bool is_in_grace = elapsed_seconds > length_seconds_;
  const double share = is_in_grace ? (elapsed_seconds - length_seconds_) / std::max(grace_seconds_, 1e-3)
                                   : elapsed_seconds / length_seconds_;
  Line time = line(is_in_grace ? "grace" : "time");
  time.add(fmt::format("{:.0f} s of {:.0f} s  ",
                       is_in_grace ? elapsed_seconds - length_seconds_ : std::max(elapsed_seconds, 0.0),
                       is_in_grace ? grace_seconds_ : length_seconds_));
  text += time.add(bar(share, std::min(40u, std::max(time.left(), 2u) - 2))).end();

  const std::string planned = arrivals_ == 0 ? "" : fmt::format(" of {}", arrivals_);
  text += line("operations")
              .add(fmt::format("{}{} begun, {} running, {} ended", progress.begun, planned,
                               progress.begun - std::min(progress.ended, progress.begun), progress.ended))
              .end();
  Line rate = line("rate");
  rate.add(fmt::format(
      "{:.1f}/s, {}/s  ", static_cast<double>(progress.ended - before.progress.ended) / between,
      bytes_text(static_cast<uint64_t>(
          static_cast<double>(progress.bytes_received - before.progress.bytes_received) / between))));
  text += rate.add(spark(ended_by_then_, std::min(rate.left(), spark_columns_max)), Look::quiet).end();

  const std::string latency = percentiles(before.progress.latency_us, progress.latency_us);
  text += line("latency").add(latency.empty() ? "nothing has ended well just now" : latency).end();

  Line failed = line("failed");
  if (progress.failed == 0) failed.add("none");
  for (uint8_t each = 1; each < failures; ++each)
    if (progress.by_failure[each] > 0)
      failed.add(fmt::format("{} {}  ", progress.by_failure[each], name(static_cast<Failure>(each))),
                 Look::bad);
  text += failed.end();

  const std::string lag = percentiles(before.progress.lag_us, progress.lag_us);
  return text + line("late by").add(lag.empty() ? "nothing has begun just now" : lag).end();
}

}  // namespace breakwater::storm
