// What can only be judged when the whole file is known: that everything is there, that names are those of
// operations, and that what shall happen can happen within the storm's time and with its runners.
#include <algorithm>

#include "config/nearest.h"
#include "plan/scenario_reader.h"

namespace breakwater::storm {

namespace {

using config::format_duration;
using config::Place;

class Whole {
 public:
  explicit Whole(ScenarioDraft& draft) : draft_(draft) {}

  void check() {
    settle_cores();
    if (!draft_.complete) return;
    check_presence();
    check_warm_up();
    check_think();
    if (draft_.operations_are_whole && draft_.has_operations) give_operations();
    for (size_t index = 0; index < scenario_.arrivals.size(); ++index) check_arrivals(index);
  }

 private:
  // A thread without a runner would have nothing to do.
  void settle_cores() { scenario_.cores = std::min(scenario_.cores, scenario_.runners.count); }

  void check_presence() {
    if (!draft_.has_target)
      draft_.report(
          {}, "there is no target",
          "add [target] with url = \"http://127.0.0.1:3000\" and repositories = [\"/owner/name.git\"]");
    if (!draft_.has_operations)
      draft_.report({}, "there is no operation", "add [operation.clone] with verb = \"clone\"");
    if (!draft_.has_arrivals)
      draft_.report({}, "no operation ever begins",
                    "add [arrivals.steady] with operations = [\"clone\"] and rate = \"10/s\"");
  }

  void check_warm_up() {
    const auto origin = draft_.storm.find("warm_up");
    if (origin == draft_.storm.end() || scenario_.warm_up < scenario_.length) return;
    if (config::is_wrong(draft_.storm, "warm_up") || config::is_wrong(draft_.storm, "length")) return;
    draft_.report(origin->second.place, "`warm_up` in [storm] is " + format_duration(scenario_.warm_up) +
                                            ", and nothing begins after the " +
                                            format_duration(scenario_.length) + " of `length`");
  }

  void check_think() {
    const auto is_closed = [](const Arrivals& each) { return each.shape == Arrivals::Shape::closed; };
    if (std::ranges::none_of(scenario_.arrivals, is_closed))
      config::report_unused({draft_, "[runners]", draft_.runners}, "think", "arrivals of shape = \"closed\"");
  }

  // ---- names

  void give_operations() {
    for (const OperationName& name : draft_.names) give(name);
    for (size_t index = 0; index < scenario_.arrivals.size(); ++index) {
      if (draft_.arrivals[index].contains("operations")) continue;
      if (scenario_.operations.size() == 1)
        scenario_.arrivals[index].operations = {0};
      else
        draft_.report(draft_.arrivals_places[index],
                      title_of(index) + " has no `operations`, and there are several",
                      "operations are " + config::joined(names()));
    }
  }

  void give(const OperationName& name) {
    const auto found = std::ranges::find(scenario_.operations, name.text, &Operation::name);
    const std::string title = title_of(name.arrivals);
    if (found == scenario_.operations.end()) {
      const std::string_view near = config::nearest(name.text, names());
      draft_.report(name.place, "there is no [operation." + config::shown(name.text) + "] for " + title,
                    near.empty() ? "operations are " + config::joined(names()) : config::did_you_mean(near));
      return;
    }
    const auto index = static_cast<uint32_t>(found - scenario_.operations.begin());
    Arrivals& arrivals = scenario_.arrivals[name.arrivals];
    if (name.is_push) {
      arrivals.push = index;
      if (found->verb != Verb::push && draft_.verbs_are_known[index])
        draft_.report(name.place,
                      "`push` in " + title + " is [operation." + found->name + "], which does not push",
                      "it needs verb = \"push\"");
    } else if (std::ranges::find(arrivals.operations, index) != arrivals.operations.end()) {
      draft_.report(
          name.place,
          "operation " + config::in_quotes(name.text) + " stands in `operations` of " + title + " twice",
          "give it a `weight` in its own table");
    } else {
      arrivals.operations.push_back(index);
      if (arrivals.shape == Arrivals::Shape::fan_out && found->verb == Verb::push)
        draft_.report(
            name.place,
            "[operation." + found->name + "] can't follow a push in " + title + ": it is one itself",
            "name it as `push`");
    }
  }

  std::vector<std::string_view> names() const {
    std::vector<std::string_view> all;
    for (const Operation& each : scenario_.operations) all.push_back(each.name);
    return all;
  }
  std::string title_of(size_t index) const { return "[arrivals." + scenario_.arrivals[index].name + "]"; }

  // ---- times, and who is there

  void check_arrivals(size_t index) {
    const Arrivals& arrivals = scenario_.arrivals[index];
    const config::KeyOrigins& origins = draft_.arrivals[index];
    const bool is_known = !config::is_wrong(origins, "start") && !config::is_wrong(draft_.storm, "length");
    if (arrivals.start >= scenario_.length && is_known && origins.contains("start"))
      draft_.report(origins.at("start").place,
                    "`start` in " + title_of(index) + " is " + format_duration(arrivals.start) +
                        ", and nothing begins after the " + format_duration(scenario_.length) +
                        " of the storm's `length`");
    else if (is_known && is_crowd(arrivals) && origins.contains("window"))
      check_window(index);
    if (arrivals.shape == Arrivals::Shape::fan_out && origins.contains("count")) check_crowd(index);
  }

  static bool is_crowd(const Arrivals& arrivals) { return (of_crowds & set_of(arrivals.shape)) != 0; }

  void check_window(size_t index) {
    const Arrivals& arrivals = scenario_.arrivals[index];
    if (arrivals.start + arrivals.window <= scenario_.length) return;
    draft_.report(draft_.arrivals[index].at("window").place,
                  "the `window` in " + title_of(index) + " ends after " +
                      format_duration(arrivals.start + arrivals.window) + ", and the storm after " +
                      format_duration(scenario_.length),
                  "make `length` in [storm] longer");
  }

  // Each of them is another machine.
  void check_crowd(size_t index) {
    const Arrivals& arrivals = scenario_.arrivals[index];
    if (arrivals.count < scenario_.runners.count || config::is_wrong(draft_.runners, "count")) return;
    draft_.report(draft_.arrivals[index].at("count").place,
                  "`count` in " + title_of(index) + " is " + std::to_string(arrivals.count) +
                      ", and with the one that pushes there are only " +
                      std::to_string(scenario_.runners.count) + " runners",
                  "`count` in [runners] has to be more");
  }

  ScenarioDraft& draft_;
  Scenario& scenario_ = draft_.file.scenario;
};

}  // namespace

void check_scenario(ScenarioDraft& draft) {
  Whole(draft).check();
}

}  // namespace breakwater::storm
