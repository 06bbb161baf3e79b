#include "report/fail_if.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <vector>

#include "base/parse_number.h"
#include "config/nearest.h"
#include "report/summary.h"

namespace breakwater::storm {

namespace {

using Figure = Condition::Figure;
using Comparison = Condition::Comparison;

constexpr double value_max = 1e15;  // microseconds: 31 years
constexpr std::string_view plain_figures[] = {"failures", "rate",     "ended", "stalls",
                                              "vanished", "fairness", "lag"};
constexpr std::string_view words_of_comparisons[] = {"above", "at least", "below", "at most"};

bool is_word_byte(char c) {
  return (c >= 'a' && c <= 'z') || c == '_';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::vector<std::string_view> latency_names() {
  std::vector<std::string_view> all = {"latency", "ttfb"};
  for (uint8_t each = 0; each < phases; ++each) all.push_back(name(static_cast<Phase>(each)));
  return all;
}

std::string guess(std::string_view word, std::span<const std::string_view> names) {
  const std::string_view near = config::nearest(word, names);
  return near.empty() ? "" : fmt::format("; did you mean {}?", near);
}

// Reads a condition from left to right. After the first thing that is wrong nothing more is read.
class Parser {
 public:
  Parser(std::string_view text, std::span<const std::string> operations)
      : text_(text), operations_(operations) {}

  std::expected<Condition, ConditionError> parse() {
    condition_.text = text_;
    if (text_.size() > condition_bytes_max) {
      at_ = condition_bytes_max;
      wrong(fmt::format("a condition has at most {} bytes", condition_bytes_max));
    }
    read_operation();
    read_figure();
    read_comparison();
    read_value();
    skip_blanks();
    if (!has_failed_ && at_ < text_.size()) wrong("nothing may stand behind the value");
    if (has_failed_) return std::unexpected(error_);
    return std::move(condition_);
  }

 private:
  void wrong(std::string sentence) { wrong_at(at_, std::move(sentence)); }
  void wrong_at(size_t at, std::string sentence) {
    if (!has_failed_) error_ = {std::string(text_), at, std::move(sentence)};
    has_failed_ = true;
  }
  void skip_blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t')) at_++;
  }
  std::string_view rest() const { return text_.substr(at_); }
  bool take(std::string_view wanted) {
    if (!rest().starts_with(wanted)) return false;
    at_ += wanted.size();
    return true;
  }
  std::string_view take_word() {
    const size_t begin = at_;
    while (at_ < text_.size() && is_word_byte(text_[at_])) at_++;
    return text_.substr(begin, at_ - begin);
  }

  // "p99.9" is the percentile 99.9, "p99.done" is the percentile 99 of `done`: a digit tells them apart.
  bool take_percentile() {
    const size_t begin = at_;
    if (take("max")) {
      condition_.quantile = 1;
      return true;
    }
    if (!rest().starts_with("p") || rest().size() < 2 || !is_digit(rest()[1])) return false;
    at_++;
    const size_t number = at_;
    while (at_ < text_.size() && is_digit(text_[at_])) at_++;
    if (rest().size() > 1 && rest()[0] == '.' && is_digit(rest()[1]))
      for (at_++; at_ < text_.size() && is_digit(text_[at_]);) at_++;
    double percent = 0;
    std::from_chars(text_.data() + number, text_.data() + at_, percent);
    if (percent > 100) wrong_at(begin, "a percentile is at most 100");
    condition_.quantile = std::min(percent, 100.0) / 100;
    return true;
  }

  // The longest name that fits, as one may begin with another and a dot.
  void read_operation() {
    skip_blanks();
    size_t longest = 0;
    for (const std::string& each : operations_)
      if (rest().size() > each.size() && rest().starts_with(each) && rest()[each.size()] == '.')
        longest = std::max(longest, each.size());
    if (longest == 0) return;
    condition_.operation = rest().substr(0, longest);
    at_ += longest + 1;
  }

  void read_figure() {
    const size_t begin = at_;
    if (take_percentile()) return read_latency();
    const std::string_view word = take_word();
    if (word == "lag") return read_lag(begin);
    if (word == "failures") return read_failure();
    if (word == "rate")
      condition_.figure = Figure::rate;
    else if (word == "ended")
      condition_.figure = Figure::ended;
    else if (word == "stalls")
      condition_.figure = Figure::stalls;
    else if (word == "vanished")
      condition_.figure = Figure::vanished;
    else if (word == "fairness")
      read_fairness(begin);
    else
      no_figure_at(begin);
  }

  void no_figure_at(size_t begin) {
    const std::string_view word = text_.substr(begin, text_.find_first_of(". <>", begin) - begin);
    std::vector<std::string_view> names(std::begin(plain_figures), std::end(plain_figures));
    if (condition_.operation.empty()) names.insert(names.end(), operations_.begin(), operations_.end());
    wrong_at(begin, fmt::format("a figure comes {}: p99.latency, max.done, failures, rate, ended, stalls, "
                                "vanished, lag.p99 or fairness{}",
                                condition_.operation.empty() ? "first, or an operation's name" : "here",
                                guess(word, names)));
  }

  void read_latency() {
    condition_.figure = Figure::percentile;
    if (!take(".")) return wrong("a percentile is of something: p99.latency, p99.ttfb, p99.done");
    const size_t begin = at_;
    const std::string_view word = take_word();
    const std::vector<std::string_view> names = latency_names();
    if (std::ranges::find(names, word) == names.end())
      wrong_at(begin, "there is no such phase" + guess(word, names));
    condition_.latency = word;
  }

  void read_lag(size_t begin) {
    condition_.figure = Figure::lag;
    if (is_of_the_run(begin) && (!take(".") || !take_percentile()))
      wrong("lag has a percentile: lag.p99, lag.max");
  }

  void read_fairness(size_t begin) {
    condition_.figure = Figure::fairness;
    is_of_the_run(begin);
  }

  bool is_of_the_run(size_t begin) {
    if (!condition_.operation.empty())
      wrong_at(begin, "this figure is of the whole run, not of an operation");
    return condition_.operation.empty();
  }

  void read_failure() {
    condition_.figure = Figure::failed;
    if (!take(".")) return;
    const size_t begin = at_;
    const std::string_view word = take_word();
    std::vector<std::string_view> names;
    for (uint8_t each = 1; each < failures; ++each) names.push_back(name(static_cast<Failure>(each)));
    const auto found = std::ranges::find(names, word);
    if (found == names.end())
      wrong_at(begin, "there is no such class of failures" + guess(word, names));
    else
      condition_.failure = static_cast<Failure>(found - names.begin() + 1);
  }

  void read_comparison() {
    skip_blanks();
    if (take(">="))
      condition_.comparison = Comparison::at_least;
    else if (take("<="))
      condition_.comparison = Comparison::at_most;
    else if (take(">"))
      condition_.comparison = Comparison::above;
    else if (take("<"))
      condition_.comparison = Comparison::below;
    else
      wrong("a comparison comes here: >, >=, < or <=");
  }

  void read_value() {
    skip_blanks();
    if (has_failed_) return;
    const size_t begin = at_;
    while (at_ < text_.size() && (is_digit(text_[at_]) || text_[at_] == '.')) at_++;
    if (!parse_number(text_.substr(begin, at_ - begin), condition_.value))
      return wrong_at(begin, "a number comes here, as 500ms, 0.1% or 3");
    skip_blanks();
    const size_t unit_at = at_;
    while (at_ < text_.size() && (is_word_byte(text_[at_]) || text_[at_] == '%' || text_[at_] == '/')) at_++;
    read_unit(text_.substr(unit_at, at_ - unit_at), unit_at);
  }

  void read_unit(std::string_view unit, size_t unit_at) {
    struct Unit {
      std::string_view text;
      double factor;
    };
    static constexpr Unit of_times[] = {{"us", 1}, {"ms", 1e3}, {"s", 1e6}, {"m", 6e7}};
    static constexpr Unit of_rates[] = {{"/s", 1}, {"/m", 1.0 / 60}, {"/h", 1.0 / 3600}};
    static constexpr Unit of_failures[] = {{"", 1}, {"%", 0.01}};
    static constexpr Unit none[] = {{"", 1}};
    std::span<const Unit> units = none;
    std::string_view sentence = "this figure has no unit";
    switch (condition_.figure) {
      case Figure::percentile:
      case Figure::lag:
        units = of_times;
        sentence = "a time has a unit: us, ms, s or m";
        break;
      case Figure::rate:
        units = of_rates;
        sentence = "a rate has a unit: /s, /m or /h";
        break;
      case Figure::failed:
        units = of_failures;
        sentence = "failures are counted (3) or a share (0.1%)";
        break;
      case Figure::ended:
      case Figure::stalls:
      case Figure::vanished:
      case Figure::fairness:
        break;
    }
    const auto found = std::ranges::find(units, unit, &Unit::text);
    if (found == units.end()) return wrong_at(unit_at, std::string(sentence));
    condition_.value *= found->factor;
    if (condition_.value > value_max) wrong_at(unit_at, "this is more than there can be");
    condition_.is_share = condition_.figure == Figure::failed && unit == "%";
    if (condition_.is_share && condition_.value > 1) wrong_at(unit_at, "a share is at most 100%");
  }

  const std::string_view text_;
  const std::span<const std::string> operations_;
  size_t at_ = 0;
  Condition condition_;
  bool has_failed_ = false;
  ConditionError error_;
};

const OperationCounts& counts_of(const Condition& condition, const Report& report) {
  const auto found = std::ranges::find(report.operations, condition.operation);
  if (condition.operation.empty() || found == report.operations.end()) return report.results.all;
  return report.results.operations[static_cast<size_t>(found - report.operations.begin())];
}

double failures_of(const Condition& condition, const OperationCounts& counts) {
  const uint64_t count =
      condition.failure ? counts.by_failure[static_cast<size_t>(*condition.failure)] : counts.failed();
  const double failed = static_cast<double>(count);
  if (!condition.is_share) return failed;
  return counts.ended == 0 ? 0 : failed / static_cast<double>(counts.ended);
}

// nullopt: nothing was counted that could have one.
std::optional<double> value_of(const Condition& condition, const Report& report) {
  const OperationCounts& counts = counts_of(condition, report);
  switch (condition.figure) {
    case Figure::percentile: {
      const Latencies* const latencies = latencies_named(counts, condition.latency);
      if (latencies == nullptr || latencies->count() == 0) return std::nullopt;
      return static_cast<double>(latencies->us_at(condition.quantile));
    }
    case Figure::failed:
      return failures_of(condition, counts);
    case Figure::rate:
      return operations_per_second(report, counts);
    case Figure::ended:
      return static_cast<double>(counts.ended);
    case Figure::stalls:
      return static_cast<double>(counts.stalls);
    case Figure::vanished:
      return static_cast<double>(counts.vanished);
    case Figure::lag:
      if (report.results.lag.count() == 0) return std::nullopt;
      return static_cast<double>(report.results.lag.us_at(condition.quantile));
    case Figure::fairness:
      return report.results.fairness;
  }
  return std::nullopt;
}

bool holds(Comparison comparison, double is, double wanted) {
  switch (comparison) {
    case Comparison::above:
      return is > wanted;
    case Comparison::at_least:
      return is >= wanted;
    case Comparison::below:
      return is < wanted;
    case Comparison::at_most:
      return is <= wanted;
  }
  return false;
}

std::string shown(const Condition& condition, double value) {
  switch (condition.figure) {
    case Figure::percentile:
    case Figure::lag:
      return time_text(static_cast<uint64_t>(value));
    case Figure::rate:
      return fmt::format("{:.2f}/s", value);
    case Figure::failed:
      return condition.is_share ? fmt::format("{:.3f} %", value * 100) : fmt::format("{:.0f}", value);
    case Figure::ended:
    case Figure::stalls:
    case Figure::vanished:
      return fmt::format("{:.0f}", value);
    case Figure::fairness:
      return fmt::format("{:.3f}", value);
  }
  return {};
}

}  // namespace

std::string ConditionError::shown() const {
  std::string line = text.substr(0, condition_bytes_max);
  // A tab or worse would move the caret.
  for (char& c : line)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  return fmt::format("{}\n  {}\n  {:>{}}\n", sentence, line, "^", at + 1);
}

std::expected<Condition, ConditionError> parse_condition(std::string_view text,
                                                         std::span<const std::string> operations) {
  return Parser(text, operations).parse();
}

Judgement judge(const Condition& condition, const Report& report) {
  const std::optional<double> value = value_of(condition, report);
  if (!value) return {true, fmt::format("{}: nothing was counted that has this figure", condition.text)};
  const bool is_met = holds(condition.comparison, *value, condition.value);
  return {is_met,
          fmt::format("{}: it is {}, and so {}{} {}", condition.text, shown(condition, *value),
                      is_met ? "" : "not ", words_of_comparisons[static_cast<size_t>(condition.comparison)],
                      shown(condition, condition.value))};
}

}  // namespace breakwater::storm
