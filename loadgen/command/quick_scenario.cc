#include "command/quick_scenario.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "command/first_line.h"
#include "config/message.h"
#include "config/units.h"
#include "plan/operation_path.h"
#include "plan/profile.h"
#include "plan/rate.h"
#include "plan/scenario_schema.h"
#include "plan/url.h"

namespace breakwater::storm {

namespace {

class QuickScenario {
 public:
  QuickScenario(const QuickOptions& quick, const StormOptions& options, Verb verb, Scenario& scenario)
      : quick_(quick), options_(options), verb_(verb), scenario_(scenario) {}

  std::string make() {
    why_ = read_url(quick_.url, scenario_.target);
    if (!why_.empty() || !check_uses() || !read_rate() || !read_crowd() || !read_times() ||
        !read_credentials() || !read_download() || !read_runners())
      return why_;
    scenario_.name = name_of(verb_);
    scenario_.seed = options_.seed.value_or(1);
    scenario_.cores = std::min(options_.cores.value_or(1), scenario_.runners.count);
    scenario_.deep_check_per_mille = quick_.deep_check;
    scenario_.target.tls_ca = quick_.ca;
    scenario_.target.tls_verify = !quick_.no_verify;
    add_operations();
    arrivals_.name = scenario_.name;
    scenario_.arrivals.push_back(arrivals_);
    return {};
  }

 private:
  using Shape = Arrivals::Shape;

  static std::string_view name_of(Verb verb) {
    return config::text_of(std::span<const config::Word<Verb>>(verb_words), verb);
  }
  bool is_crowd() const { return quick_.burst > 0 || quick_.fan_out > 0; }

  bool fails(std::string why) {
    why_ = std::move(why);
    return false;
  }

  // What operations of these verbs make nothing of, and what they can't do without.
  bool check_uses() {
    const std::pair<std::string_view, bool> given[] = {{"depth", quick_.depth.has_value()},
                                                       {"filter", !quick_.filter.empty()},
                                                       {"ref", !quick_.ref.empty()},
                                                       {"path", !quick_.path.empty()},
                                                       {"commits", quick_.commits.has_value()}};
    const uint32_t verbs = verbs_of_it();
    for (const auto& [key, is_given] : given) {
      const KeyUse& use = *std::ranges::find(operation_uses, key, &KeyUse::key);
      if (is_given && (use.used_with & verbs) == 0)
        return fails("--" + std::string(key) + " means nothing to " + std::string(name_of(verb_)) +
                     ", only to " + words_of(use.used_with));
    }
    if (verb_ == Verb::page && quick_.path.empty())
      return fails("page needs --path: what comes behind the repository, for example /issues");
    if (verb_ == Verb::lfs && quick_.path.empty()) return fails("lfs needs --path OID:BYTES,OID:BYTES");
    const std::string why = why_no_path(verb_, quick_.path);
    return why.empty() || fails("--path can't be " + config::in_quotes(quick_.path) + ": " + why);
  }

  // With a fan-out there are two.
  uint32_t verbs_of_it() const {
    if (quick_.fan_out == 0) return set_of(verb_);
    return set_of(Verb::push, verb_ == Verb::push ? Verb::fetch_object : verb_);
  }

  // "clone, fetch or fetch-object".
  static std::string words_of(uint32_t verbs) {
    std::string text;
    for (const config::Word<Verb>& each : verb_words) {
      if ((verbs & set_of(each.value)) == 0) continue;
      verbs &= ~set_of(each.value);
      if (!text.empty()) text += verbs == 0 ? " or " : ", ";
      text += each.text;
    }
    return text;
  }

  bool read_duration(const char* name, const std::string& text, Duration& duration) {
    const std::optional<Duration> read = config::parse_duration(text);
    if (!read) return fails(std::string(name) + ": '" + text + "' is no time: write 500ms, 30s, 10m or 1h");
    duration = *read;
    return true;
  }

  bool read_rate() {
    arrivals_.rate = parse_rate(quick_.rate).value_or(0);
    if (arrivals_.rate == 0)
      return fails("--rate: '" + quick_.rate + "' is no rate: write 50/s, 120/m or 3000/h");
    arrivals_.shape = quick_.closed ? Shape::closed : quick_.poisson ? Shape::poisson : Shape::constant;
    return true;
  }

  bool read_crowd() {
    if (!is_crowd()) {
      if (quick_.within.empty() && quick_.every.empty()) return true;
      return fails("--within and --every belong to --burst or --fan-out");
    }
    if (quick_.within.empty())
      return fails("--burst and --fan-out need a time to be spread over, for example --within 30s");
    arrivals_.rate = 0;
    arrivals_.shape = quick_.burst > 0 ? Shape::burst : Shape::fan_out;
    arrivals_.count = std::max(quick_.burst, quick_.fan_out);
    if (!read_duration("--within", quick_.within, arrivals_.window)) return false;
    if (quick_.every.empty()) return true;
    if (!read_duration("--every", quick_.every, arrivals_.every)) return false;
    return arrivals_.every.count() > 0 || fails("--every: it has to be more than no time");
  }

  // Long enough for two crowds, if nothing is said: those that follow a push begin when it has ended.
  Duration default_length() const {
    constexpr Duration least{10'000};
    if (!is_crowd()) return least;
    const Duration all = arrivals_.every + arrivals_.window;
    return arrivals_.shape == Shape::fan_out ? all + least : std::max(all, least);
  }

  bool read_times() {
    scenario_.length = default_length();
    if (!quick_.length.empty() && !read_duration("--for", quick_.length, scenario_.length)) return false;
    if (scenario_.length < arrivals_.window)
      return fails("--within is " + config::format_duration(arrivals_.window) +
                   ", and nothing begins after the " + config::format_duration(scenario_.length) +
                   " of --for");
    return read_duration("--grace", quick_.grace, scenario_.grace) &&
           read_duration("--warm-up", quick_.warm_up, scenario_.warm_up);
  }

  bool read_credentials() {
    if (quick_.user.empty() && quick_.password_file.empty()) return true;
    if (quick_.user.empty() || quick_.password_file.empty())
      return fails("--user and --password-file belong together");
    Target& target = scenario_.target;
    const std::optional<std::string> secret = first_line_of(quick_.password_file);
    if (!secret)
      return fails("--password-file: " + quick_.password_file + " has no first line that could be read");
    target.secret = *secret;
    target.user = quick_.user;
    target.authentication = quick_.preemptive ? Authentication::basic : Authentication::challenge;
    return true;
  }

  bool read_download() {
    if (quick_.download.empty()) return true;
    const std::optional<uint64_t> bytes = config::parse_size(quick_.download);
    if (!bytes) return fails("--download: '" + quick_.download + "' is no size: write 512KiB or 1MiB");
    scenario_.runners.download = *bytes;
    return true;
  }

  bool read_runners() {
    constexpr uint32_t runners_by_default = 20;
    uint32_t& count = scenario_.runners.count;
    count = quick_.runners.value_or(quick_.burst > 0     ? quick_.burst
                                    : quick_.fan_out > 0 ? quick_.fan_out + 1
                                                         : runners_by_default);
    if (quick_.fan_out == 0 || count > quick_.fan_out) return true;
    return fails("--fan-out " + std::to_string(quick_.fan_out) + " takes at least " +
                 std::to_string(quick_.fan_out + 1) + " --runners: one that pushes, and all the others");
  }

  Operation operation_of(Verb verb) const {
    const Profile& profile = *profile_named(quick_.client);
    Operation operation;
    operation.name = name_of(verb);
    operation.verb = verb;
    operation.client = profile.client;
    operation.tries = profile.tries;
    operation.retry_min = profile.retry_min;
    operation.retry_max = profile.retry_max;
    operation.protocol = static_cast<uint8_t>(quick_.protocol);
    operation.commits = quick_.commits.value_or(1);
    return operation;
  }

  void add_operations() {
    const bool pushes_first = arrivals_.shape == Shape::fan_out;
    const Verb verb = pushes_first && verb_ == Verb::push ? Verb::fetch_object : verb_;
    Operation operation = operation_of(verb);
    operation.depth = quick_.depth.value_or(0);
    operation.blobless = !quick_.filter.empty();
    operation.path = quick_.path;
    // Of a fan-out of `push` it is where to push to.
    if (verb == verb_) operation.ref = quick_.ref;
    scenario_.operations.push_back(std::move(operation));
    arrivals_.operations = {0};
    if (!pushes_first) return;
    Operation push = operation_of(Verb::push);
    if (verb_ == Verb::push) push.ref = quick_.ref;
    scenario_.operations.push_back(std::move(push));
    arrivals_.push = 1;
  }

  const QuickOptions& quick_;
  const StormOptions& options_;
  const Verb verb_;
  Scenario& scenario_;
  Arrivals arrivals_;
  std::string why_;
};

}  // namespace

std::string make_quick_scenario(const QuickOptions& quick, const StormOptions& options, Verb verb,
                                Scenario& scenario) {
  return QuickScenario(quick, options, verb, scenario).make();
}

}  // namespace breakwater::storm
