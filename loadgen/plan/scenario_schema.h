// Every table and key that a scenario's file may have, with its bounds, and with which words of other keys it
// means something: the reader, its hints and the test of docs/scenarios.md read the same lists. Defaults are
// not here: they are the members' initialisers in scenario.h and operation.h.
#pragma once

#include <cstdint>
#include <string_view>

#include "config/rules.h"
#include "plan/scenario.h"

namespace breakwater::storm {

inline constexpr std::string_view scenario_tables[] = {"storm", "target", "runners", "operation", "arrivals"};
inline constexpr std::string_view storm_keys[] = {"name",  "seed",    "cores",      "length",
                                                  "grace", "warm_up", "deep_check", "driver"};
inline constexpr std::string_view target_keys[] = {
    "url", "repositories", "authentication", "user", "password_file", "tls_ca", "tls_verify", "tls_name"};
inline constexpr std::string_view runner_keys[] = {
    "count", "download", "think", "slow_percent", "slow_download", "vanish_percent", "connections_max"};
inline constexpr std::string_view operation_keys[] = {
    "verb",  "client", "protocol", "depth", "filter",    "lazy_objects", "ref",     "path",
    "bytes", "weight", "commits",  "tries", "retry_min", "retry_max",    "timeout", "stall"};
inline constexpr std::string_view arrivals_keys[] = {
    "shape", "operations", "start", "length", "rate", "rate_to",      "steps",
    "count", "window",     "every", "push",   "log",  "speed_percent"};

inline constexpr size_t operation_tables_max = 200, arrivals_tables_max = 200;
inline constexpr size_t repositories_max = 10'000;
inline constexpr size_t text_bytes_max = 2048;  // of a ref; of a path; lists of LFS objects may have more
inline constexpr size_t lfs_list_bytes_max = 64 * 1024;

// ---- words

inline constexpr config::Word<Verb> verb_words[] = {{"ls-remote", Verb::ls_remote},
                                                    {"clone", Verb::clone},
                                                    {"fetch", Verb::fetch},
                                                    {"fetch-object", Verb::fetch_object},
                                                    {"tags", Verb::tags},
                                                    {"push", Verb::push},
                                                    {"lfs", Verb::lfs},
                                                    {"dumb", Verb::dumb},
                                                    {"page", Verb::page}};
inline constexpr config::Word<Client> client_words[] = {{"git", Client::git},
                                                        {"actions-checkout", Client::actions_checkout},
                                                        {"gitlab-runner", Client::gitlab_runner},
                                                        {"jenkins-poll", Client::jenkins_poll},
                                                        {"renovate", Client::renovate}};
inline constexpr config::Word<Authentication> authentication_words[] = {
    {"none", Authentication::none},
    {"challenge", Authentication::challenge},
    {"basic", Authentication::basic},
    {"bearer", Authentication::bearer}};
inline constexpr config::Word<Arrivals::Shape> shape_words[] = {
    {"constant", Arrivals::Shape::constant}, {"poisson", Arrivals::Shape::poisson},
    {"ramp", Arrivals::Shape::ramp},         {"step", Arrivals::Shape::step},
    {"burst", Arrivals::Shape::burst},       {"fan_out", Arrivals::Shape::fan_out},
    {"closed", Arrivals::Shape::closed},     {"replay", Arrivals::Shape::replay}};
inline constexpr config::Word<Driver> driver_words[] = {{"native", Driver::native}, {"git", Driver::git}};
inline constexpr config::Word<bool> filter_words[] = {{"blob:none", true}, {"none", false}};

inline constexpr config::WordKey<Scenario, Driver> driver_key{"driver", &Scenario::driver, driver_words, ""};
inline constexpr config::WordKey<Operation, Verb> verb_key{"verb", &Operation::verb, verb_words, ""};
inline constexpr config::WordKey<Operation, Client> client_key{"client", &Operation::client, client_words,
                                                               ""};
inline constexpr config::WordKey<Operation, bool> filter_key{"filter", &Operation::blobless, filter_words,
                                                             ""};
inline constexpr config::WordKey<Target, Authentication> authentication_key{
    "authentication", &Target::authentication, authentication_words, ""};
inline constexpr config::WordKey<Arrivals, Arrivals::Shape> shape_key{"shape", &Arrivals::shape, shape_words,
                                                                      ""};

// ---- durations

inline constexpr Duration no_time{0}, moment{1};
inline constexpr Duration day = 24 * config::hour;

inline constexpr config::DurationKey<Scenario> storm_duration_keys[] = {
    {{"length", Duration{100}, 7 * day}, &Scenario::length},
    {{"grace", no_time, day}, &Scenario::grace},
    {{"warm_up", no_time, day}, &Scenario::warm_up},
};
inline constexpr config::DurationKey<Runners> think_key{{"think", no_time, day}, &Runners::think};
inline constexpr config::DurationKey<Operation> operation_duration_keys[] = {
    {{"retry_min", no_time, config::hour}, &Operation::retry_min},
    {{"retry_max", no_time, config::hour}, &Operation::retry_max},
    {{"timeout", Duration{10}, day, true}, &Operation::timeout},
    {{"stall", Duration{10}, day}, &Operation::stall},
};
inline constexpr config::DurationKey<Arrivals> arrivals_duration_keys[] = {
    {{"start", no_time, 7 * day}, &Arrivals::start},
    {{"length", moment, 7 * day}, &Arrivals::length},
    {{"window", no_time, day}, &Arrivals::window},
    {{"every", moment, 7 * day}, &Arrivals::every},
};

// ---- counts and sizes

inline constexpr config::CountRule seed_rule{"seed", 0, UINT32_MAX};
inline constexpr config::CountRule protocol_rule{"protocol", 0, 2};
inline constexpr uint32_t storm_runners_max = 100'000, storm_cores_max = 64;

inline constexpr config::CountKey<Scenario> storm_count_keys[] = {
    {{"cores", 1, storm_cores_max}, &Scenario::cores},
    {{"deep_check", 0, 1000}, &Scenario::deep_check_per_mille},
};
inline constexpr config::CountKey<Runners> runner_count_keys[] = {
    {{"count", 1, storm_runners_max}, &Runners::count},
    {{"slow_percent", 0, 100}, &Runners::slow_percent},
    {{"vanish_percent", 0, 100}, &Runners::vanish_percent},
    {{"connections_max", 1, storm_runners_max, true}, &Runners::connections_max},
};
inline constexpr config::CountKey<Operation> operation_count_keys[] = {
    {{"depth", 0, 1'000'000}, &Operation::depth}, {{"lazy_objects", 0, 1024}, &Operation::lazy_objects},
    {{"commits", 1, 1000}, &Operation::commits},  {{"weight", 1, 1'000'000}, &Operation::weight},
    {{"tries", 1, 100}, &Operation::tries},
};
inline constexpr config::CountKey<Arrivals> arrivals_count_keys[] = {
    {{"steps", 2, 10'000}, &Arrivals::steps},
    {{"count", 1, 1'000'000}, &Arrivals::count},
    {{"speed_percent", 1, 10'000}, &Arrivals::speed_percent},
};

template <typename Owner>
struct SizeMember : config::SizeKey {
  uint64_t Owner::* member;
};
inline constexpr uint64_t pace_max = uint64_t{16} << 30;
inline constexpr SizeMember<Runners> runner_size_keys[] = {
    {{"download", 1, pace_max, true}, &Runners::download},
    {{"slow_download", 1, pace_max}, &Runners::slow_download},
};
inline constexpr SizeMember<Operation> bytes_key{{"bytes", 0, uint64_t{64} << 20}, &Operation::bytes};

// ---- rates: "50/s", "120/m", "3000/h"

struct RateKey {
  std::string_view name;
  double Arrivals::* member;
  bool may_be_zero;  // that of which a ramp begins or ends
};
inline constexpr RateKey rate_keys[] = {{"rate", &Arrivals::rate, true},
                                        {"rate_to", &Arrivals::rate_to, true}};

// ---- what goes with what

// A key that only some words of another key give a meaning, and which of those can't do without it. Sets of
// words are bits, by the words' values.
struct KeyUse {
  std::string_view key;
  uint32_t used_with, needed_by;
  std::string_view example;  // where it is needed
};

template <typename... Values>
constexpr uint32_t set_of(Values... values) {
  return ((1u << static_cast<unsigned>(values)) | ... | 0u);
}

inline constexpr uint32_t of_fetches = set_of(Verb::clone, Verb::fetch, Verb::fetch_object);
inline constexpr KeyUse operation_uses[] = {
    {"depth", of_fetches, 0, ""},
    {"filter", of_fetches, 0, ""},
    {"lazy_objects", set_of(Verb::clone), 0, ""},
    {"ref", of_fetches | set_of(Verb::push, Verb::lfs), 0, ""},
    {"path", set_of(Verb::lfs, Verb::page), set_of(Verb::lfs, Verb::page), ""},
    {"commits", set_of(Verb::push), 0, ""},
    {"bytes", set_of(Verb::push), 0, ""},
};

using ArrivalShape = Arrivals::Shape;
inline constexpr uint32_t of_rates =
    set_of(ArrivalShape::constant, ArrivalShape::poisson, ArrivalShape::ramp, ArrivalShape::step);
inline constexpr uint32_t of_crowds = set_of(ArrivalShape::burst, ArrivalShape::fan_out);
inline constexpr KeyUse arrivals_uses[] = {
    {"length", of_rates | of_crowds | set_of(ArrivalShape::replay), 0, ""},
    {"rate", of_rates, of_rates, "rate = \"50/s\""},
    {"rate_to", set_of(ArrivalShape::ramp, ArrivalShape::step),
     set_of(ArrivalShape::ramp, ArrivalShape::step), "rate_to = \"200/s\""},
    {"steps", set_of(ArrivalShape::step), set_of(ArrivalShape::step), "steps = 5"},
    {"count", of_crowds, of_crowds, "count = 100"},
    {"window", of_crowds, of_crowds, "window = \"30s\""},
    {"every", of_crowds, 0, ""},
    {"push", set_of(ArrivalShape::fan_out), set_of(ArrivalShape::fan_out),
     "push = \"NAME\", of an operation that pushes"},
    {"log", set_of(ArrivalShape::replay), set_of(ArrivalShape::replay), "log = \"access.log\""},
    {"speed_percent", set_of(ArrivalShape::replay), 0, ""},
};

}  // namespace breakwater::storm
