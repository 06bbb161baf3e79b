// [pool.NAME]: every key, its bounds, and what comes from elsewhere: the kind, [timeouts], a neighbour.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "config/kind.h"
#include "config/schema.h"
#include "config/units.h"
#include "parsing.h"

using namespace breakwater::config;

namespace {

// What a pool with these keys comes to.
Pool pool(const std::string& keys, const std::string& tables = "") {
  return good(minimal + keys + tables).pools.at(0);
}

}  // namespace

TEST_CASE("pool: every key") {
  const Pool got = pool(R"(
kind = "gitlab"
balance = "repository"
upload_pack_framing = "until-close"
fold_case = false
repair_headers = true
retries = "25%"
connect = "1s"
advertise = "2s"
response = "3s"
server_idle = "4s"
probe = "http /-/health 204"
probe_interval = "5s"
probe_fast_interval = "600ms"
probe_timeout = "7s"
probe_rise = 8
probe_fall = 9
agent_port = 5309
agent_interval = "18s"
eject_errors = 10
slow_ratio = 11
slow_min = "12ms"
eject_time = "13s"
eject_time_max = "14s"
slow_start = "15s"
ejected_max = "16%"
panic = "17%"
sticky = "__Host-gogs.1"
sticky_key_file = "/etc/breakwater/sticky.key"
sticky_secure = true
sticky_max_age = "720h"
)");
  CHECK(got.kind == Kind::gitlab);
  CHECK(got.balance == Balance::repository);
  CHECK(got.upload_pack_framing == UploadPackFraming::until_close);
  CHECK(got.sticky.cookie == "__Host-gogs.1");
  CHECK(got.sticky.key_file == "/etc/breakwater/sticky.key");
  CHECK(got.sticky.secure);
  CHECK(got.sticky.max_age == 720 * hour);
  CHECK_FALSE(got.folds_case);
  CHECK(got.repairs_headers);
  CHECK(got.retries == 25);
  CHECK(got.timeouts.connect == 1 * second);
  CHECK(got.timeouts.advertise == 2 * second);
  CHECK(got.timeouts.response == 3 * second);
  CHECK(got.timeouts.server_idle == 4 * second);
  CHECK(got.probe.type == Probe::Type::http);
  CHECK(got.probe.path == "/-/health");
  CHECK(got.probe.status == 204);
  CHECK(got.probe.interval == 5 * second);
  CHECK(got.probe.fast_interval == Duration{600});
  CHECK(got.probe.timeout == 7 * second);
  CHECK(got.probe.rise == 8);
  CHECK(got.probe.fall == 9);
  CHECK(got.agent.port == 5309);
  CHECK(got.agent.interval == 18 * second);
  CHECK(got.health.errors == 10);
  CHECK(got.health.slow_ratio == 11);
  CHECK(got.health.slow_min == Duration{12});
  CHECK(got.health.eject_time == 13 * second);
  CHECK(got.health.eject_time_max == 14 * second);
  CHECK(got.health.slow_start == 15 * second);
  CHECK(got.health.ejected_max == 16);
  CHECK(got.health.panic == 17);
}

TEST_CASE("pool: every key that takes off") {
  const Pool got = pool(
      "retries = 'off'\nprobe = 'off'\neject_errors = 'off'\nslow_ratio = 'off'\n"
      "agent_port = 'off'\n"
      "slow_start = 'off'\npanic = 'off'\n");
  CHECK(got.retries == 0);
  CHECK(got.probe.type == Probe::Type::off);
  CHECK(got.agent.port == 0);
  CHECK(got.health.errors == 0);
  CHECK(got.health.slow_ratio == 0);
  CHECK(got.health.slow_start == Duration{0});
  CHECK(got.health.panic == 0);
  CHECK(pool("retries = '0%'\neject_errors = 0\n").retries == 0);
}

TEST_CASE("pool: every word of every choice") {
  for (const auto& [text, kind] : kind_words)
    CHECK(pool("kind = '" + std::string(text) + "'\n").kind == kind);
  for (const auto& [text, balance] : balance_words)
    CHECK(pool("balance = '" + std::string(text) + "'\n").balance == balance);
  for (const auto& [text, framing] : framing_words)
    CHECK(pool("upload_pack_framing = '" + std::string(text) + "'\n").upload_pack_framing == framing);
}

TEST_CASE("pool: words behind servers, and unix sockets") {
  const Config config = good(
      "[listen.git]\nbind = ':80'\n[pool.a]\nservers = ['a:1 weight=50', 'unix:/run/gogs.sock backup']\n");
  CHECK(config.pools[0].servers ==
        std::vector<Server>{{.address = {"a", 1}, .weight = 50},
                            {.address = {.path = "/run/gogs.sock"}, .backup = true}});
  const auto problem = [](const std::string& servers) {
    return bad("[listen.git]\nbind = ':80'\n[pool.a]\nservers = [" + servers + "]\n").at(0);
  };
  CHECK(problem("'a:1 weight=257'").message ==
        "\"a:1 weight=257\" in `servers` of [pool.a] is not a server: `weight` must be an integer from 0 to "
        "256");
  CHECK(problem("'a:1 wieght=7'")
            .message.ends_with("unknown word `wieght=7` behind the address; did you mean `weight`?"));
  CHECK(problem("'a:1', 'a:1 backup'").message ==
        "server \"a:1 backup\" stands in `servers` of [pool.a] twice");
  CHECK(problem("'unix:/x', 'unix:/x'").message ==
        "server \"unix:/x\" stands in `servers` of [pool.a] twice");
  CHECK(problem("'a:1 weight=0', 'b:1 weight=0'").message ==
        "`servers` in [pool.a] all have the weight 0, so that none gets requests");
  CHECK(problem("'a:1', 'b'").column == 19);
}

TEST_CASE("pool: every default lies within its own bounds") {
  const auto durations = [](const auto& keys, const auto& owner) {
    for (const auto& key : keys) {
      CAPTURE(key.name);
      CHECK(owner.*key.member >= key.min);
      CHECK(owner.*key.member <= key.max);
      CHECK_FALSE(key.waited_for.empty());
      CHECK_FALSE(key.when_over.empty());
    }
  };
  durations(pool_timeout_keys, PoolTimeouts{});
  durations(probe_duration_keys, Probe{});
  durations(agent_duration_keys, Agent{});
  durations(health_duration_keys, Health{});
  durations(admission_duration_keys, Admission{});
  const auto counts = [](const auto& keys, const auto& owner) {
    for (const auto& key : keys) {
      CAPTURE(key.name);
      CHECK(owner.*key.member >= key.min);
      CHECK(owner.*key.member <= key.max);
    }
  };
  counts(probe_count_keys, Probe{});
  counts(agent_count_keys, Agent{});
  counts(health_count_keys, Health{});
  counts(admission_count_keys, Admission{});
  counts(health_percent_keys, Health{});
  CHECK(Probe{}.fast_interval <= Probe{}.interval);
  CHECK(Health{}.eject_time <= Health{}.eject_time_max);
}

// For each key of a table in schema.h: the least and the most are taken, what lies beyond is not, nor is a
// value of another type.
TEST_CASE("pool: durations, counts and percentages within their bounds only") {
  const auto takes = [](std::string_view key, const std::string& value) {
    const bool of_agent = key == "agent_interval";
    const bool of_limit = key == "adaptive_min";
    const std::string text = minimal +
                             (of_agent   ? "agent_port = 1\n"
                              : of_limit ? "max_operations = 1000000\n"
                                         : "probe = 'tcp'\n") +
                             std::string(key) + " = " + value + "\n";
    const auto parsed = parse(text);
    const auto* problems = std::get_if<Problems>(&parsed);
    if (problems == nullptr) return true;
    CHECK(problems->size() == 1);
    CHECK(problems->at(0).line == 6);
    CHECK(problems->at(0).message.starts_with("`" + std::string(key) + "` in [pool.gogs] must be "));
    return false;
  };
  const auto quoted = [](const std::string& text) { return "'" + text + "'"; };
  const auto duration = [&](const DurationRule& rule) {
    CAPTURE(rule.name);
    CHECK(takes(rule.name, quoted(format_duration(rule.min))));
    CHECK(takes(rule.name, quoted(format_duration(rule.max))));
    CHECK_FALSE(takes(rule.name, quoted(format_duration(rule.min - Duration{1}))));
    CHECK_FALSE(takes(rule.name, quoted(format_duration(rule.max + Duration{1}))));
    CHECK_FALSE(takes(rule.name, "5"));
    CHECK(takes(rule.name, "'off'") == rule.takes_off);
  };
  const auto count = [&](const CountRule& rule, const std::string& sign) {
    CAPTURE(rule.name);
    const auto value = [&](uint64_t number) {
      return sign.empty() ? std::to_string(number) : quoted(std::to_string(number) + sign);
    };
    CHECK(takes(rule.name, value(rule.min)));
    CHECK(takes(rule.name, value(rule.max)));
    if (rule.min > 0) CHECK_FALSE(takes(rule.name, value(rule.min - 1)));
    CHECK_FALSE(takes(rule.name, value(uint64_t{rule.max} + 1)));
    CHECK_FALSE(takes(rule.name, sign.empty() ? "'5'" : "5"));
    CHECK_FALSE(takes(rule.name, "true"));
    CHECK(takes(rule.name, "'off'") == rule.takes_off);
  };
  for (const auto& key : pool_timeout_keys) duration(key);
  for (const auto& key : probe_duration_keys) duration(key);
  for (const auto& key : agent_duration_keys) duration(key);
  for (const auto& key : health_duration_keys) duration(key);
  for (const auto& key : admission_duration_keys) duration(key);
  for (const auto& key : probe_count_keys) count(key, "");
  for (const auto& key : agent_count_keys) count(key, "");
  for (const auto& key : health_count_keys) count(key, "");
  for (const auto& key : admission_count_keys) count(key, "");
  for (const auto& key : health_percent_keys) count(key, "%");
  count(retries_key, "%");
}

TEST_CASE("pool: a limit that adapts itself needs a ceiling") {
  CHECK(pool("max_operations = 50\nadaptive_min = 50\n").admission.adaptive_min == 50);
  CHECK(only("adaptive_min = 5\n").find("there is no `max_operations` that could adapt") !=
        std::string::npos);
  CHECK(only("max_operations = 4\nadaptive_min = 5\n").find("is 5, more than the 4 of `max_operations`") !=
        std::string::npos);
}

TEST_CASE("pool: a limit of clones needs a queue, for a clone is never refused") {
  CHECK(pool("max_clones = 5\n").admission.clones == 5);
  CHECK(pool("queue = \"off\"\nmax_pushes = 5\n").admission.queue == 0);
  const std::string message = only("max_clones = 5\nqueue = \"off\"\n");
  CHECK(message.find("`max_clones` in [pool.gogs] needs a `queue`, which line") != std::string::npos);
}

TEST_CASE("pool: what messages and hints say") {
  CHECK(only("kind = \"gosg\"\n") ==
        "1:8 `kind` in [pool.gogs] must be \"gogs\", \"gitea\", \"gitlab\", \"http-backend\" or \"other\", "
        "found "
        "\"gosg\" | did you mean `gogs`?");
  CHECK(
      only("kind = \"forgejo\"\n")
          .ends_with(
              "| write \"gitea\" for Forgejo, \"http-backend\" for git http-backend behind Apache or nginx"));
  CHECK(only("kind = 5\n").starts_with("1:8 `kind` in [pool.gogs] must be a string (\"gogs\", \"gitea\", "));
  CHECK(only("balance = \"least-connection\"\n").ends_with("| did you mean `least-connections`?"));
  CHECK(only("balance = true\n").find("must be a string (\"round-robin\", ") != std::string::npos);
  CHECK(only("upload_pack_framing = \"chunk\"\n") ==
        "1:23 `upload_pack_framing` in [pool.gogs] must be \"chunked\", \"until-close\" or \"auto\", found "
        "\"chunk\" | did you mean `chunked`?");
  CHECK(only("fold_case = \"yes\"\n") ==
        "1:13 `fold_case` in [pool.gogs] must be true or false, found the string \"yes\"");
  CHECK(only("repair_headers = 1\n") ==
        "1:18 `repair_headers` in [pool.gogs] must be true or false, found the integer 1");
  CHECK(only("retries = 10\n") ==
        "1:11 `retries` in [pool.gogs] must be a percentage from 0% to 100%, or \"off\", found the integer "
        "10 | "
        "write \"10%\"");
  CHECK(only("retries = \"10\"\n") ==
        "1:11 `retries` in [pool.gogs] must be a percentage from 0% to 100%, or \"off\", found \"10\"");
  CHECK(only("connect = 5\n") ==
        "1:11 `connect` in [pool.gogs] must be a duration from 10ms to 1h, found the integer 5 | write the "
        "unit: "
        "\"5s\"");
  CHECK(only("slow_start = \"0s\"\n").ends_with("| write \"off\""));
  CHECK(only("eject_errors = 1001\n") ==
        "1:16 `eject_errors` in [pool.gogs] must be an integer from 0 to 1000, or \"off\", found the integer "
        "1001");
  CHECK(only("prob = \"tcp\"\n") == "1:1 unknown key `prob` in [pool.gogs] | did you mean `probe`?");
  CHECK(only("probe_intervall = \"1s\"\n").ends_with("| did you mean `probe_interval`?"));
  CHECK(only("host = \"a\"\n") == "1:1 unknown key `host` in [pool.gogs] | it belongs in [route.NAME]");
  CHECK(only("[limits]\neject_time = \"1s\"\n").ends_with("| it belongs in [pool.NAME]"));
}

TEST_CASE("pool: a name for each key is enough to reach it") {
  for (const std::string_view key : pool_keys) {
    CAPTURE(key);
    const std::string text = "[listen.git]\nbind = ':80'\n[pool.a]\n" + std::string(key) + " = 1979-05-27\n";
    for (const Problem& problem : bad(text)) CHECK(problem.message.find("unknown") == std::string::npos);
  }
}

TEST_CASE("pool: one of two keys that bound each other gives way if it wasn't asked for") {
  CHECK(pool("probe = 'tcp'\nprobe_interval = '200ms'\n").probe.fast_interval == Duration{200});
  CHECK(pool("probe = 'tcp'\nprobe_fast_interval = '9s'\n").probe.interval == 9 * second);
  CHECK(pool("eject_time = '10m'\n").health.eject_time_max == 10 * minute);
  CHECK(pool("eject_time_max = '1s'\n").health.eject_time == 1 * second);
  CHECK(only("eject_time_max = \"1s\"\neject_time = \"2s\"\n") ==
        "2:14 `eject_time` in [pool.gogs] is 2s, more than the 1s of `eject_time_max`");
  CHECK(only("probe = 'tcp'\nprobe_interval = \"1s\"\nprobe_fast_interval = \"2s\"\n") ==
        "3:23 `probe_fast_interval` in [pool.gogs] is 2s, more than the 1s of `probe_interval`");
  // What is wrong by itself contradicts nothing.
  CHECK(only("eject_time_max = \"1s\"\neject_time = \"2\"\n").find("must be a duration") !=
        std::string::npos);
}

TEST_CASE("pool: keys on how to probe need a word on what") {
  CHECK(only("probe_rise = 3\n") ==
        "1:14 `probe_rise` in [pool.gogs] is only used with a `probe` | add probe = \"tcp\", or the `kind` "
        "of the "
        "servers");
  CHECK(only("kind = \"other\"\nprobe_timeout = \"1s\"\n").find("only used with a `probe`") !=
        std::string::npos);
  pool("kind = 'gogs'\nprobe_rise = 3\n");
  pool("probe = 'off'\nprobe_rise = 3\n");  // switched off for a while
  CHECK(only("probe = \"tpc\"\nprobe_rise = 3\n").find("`probe` in") != std::string::npos);
  CHECK(only("kind = \"gosg\"\nprobe_rise = 3\n").find("`kind` in") != std::string::npos);
}

TEST_CASE("pool: an agent has a port, on a host") {
  CHECK(only("agent_interval = '1s'\n") ==
        "1:18 `agent_interval` in [pool.gogs] is only used with an `agent_port`");
  pool("agent_port = 'off'\nagent_interval = '1s'\n");  // switched off for a while
  const std::string with_socket = "[listen.git]\nbind = ':80'\n[pool.a]\nservers = ['a:1', 'unix:/s']\n";
  CHECK(bad(with_socket + "agent_port = 5\n").at(0).message ==
        "`agent_port` in [pool.a] needs servers with a host, but \"unix:/s\" has none");
  good(with_socket + "agent_port = 'off'\n");
}

TEST_CASE("pool: timeouts are its own, then those of [timeouts], then its kind's, then the defaults") {
  const std::string kind = "kind = 'http-backend'\n";
  const std::string own = "server_idle = '7s'\nconnect = '8s'\n";
  const std::string general = "[timeouts]\nserver_idle = '9s'\nadvertise = '10s'\n";
  CHECK(pool("").timeouts.server_idle == PoolTimeouts{}.server_idle);
  CHECK(pool(kind).timeouts.server_idle == 4 * second);
  CHECK(pool(kind, general).timeouts.server_idle == 9 * second);
  CHECK(pool(kind + own, general).timeouts.server_idle == 7 * second);
  CHECK(pool(own + kind, general).timeouts.connect == 8 * second);
  CHECK(pool(own + kind, general).timeouts.advertise == 10 * second);
  CHECK(pool(own + kind, general).timeouts.response == PoolTimeouts{}.response);
  // In any order of the tables.
  const Pool got = good(general + minimal + kind).pools.at(0);
  CHECK(got.timeouts.server_idle == 9 * second);
  CHECK(got.timeouts.advertise == 10 * second);
}

TEST_CASE("pool: what each kind sets, and a key wins over it") {
  struct Case {
    const char* kind;
    Probe::Type probe;
    const char* path;
    bool folds_case, repairs_headers;
    UploadPackFraming framing;
    Duration server_idle;
  };
  using enum UploadPackFraming;
  for (const Case& c :
       {Case{"gogs", Probe::Type::http, "/healthcheck", true, true, chunked, minute},
        Case{"gitea", Probe::Type::http, "/api/healthz", true, true, chunked, minute},
        Case{"gitlab", Probe::Type::tcp, "", true, false, automatic, 30 * second},
        Case{"http-backend", Probe::Type::tcp, "", false, false, automatic, 4 * second},
        Case{"other", Probe::Type::off, "", false, false, automatic, PoolTimeouts{}.server_idle}}) {
    CAPTURE(c.kind);
    const Pool got = pool("kind = '" + std::string(c.kind) + "'\n");
    CHECK(got.probe.type == c.probe);
    CHECK(got.probe.path == c.path);
    CHECK(got.probe.status == 200);
    CHECK(got.folds_case == c.folds_case);
    CHECK(got.repairs_headers == c.repairs_headers);
    CHECK(got.upload_pack_framing == c.framing);
    CHECK(got.timeouts.server_idle == c.server_idle);
  }
  const Pool got = pool(
      "probe = 'git /a/b.git'\nfold_case = false\nrepair_headers = false\nkind = 'gogs'\n"
      "upload_pack_framing = 'auto'\nprobe_interval = '3s'\n");
  CHECK(got.probe.type == Probe::Type::git);
  CHECK(got.probe.path == "/a/b.git");
  CHECK(got.probe.interval == 3 * second);
  CHECK_FALSE(got.folds_case);
  CHECK_FALSE(got.repairs_headers);
  CHECK(got.upload_pack_framing == automatic);
  CHECK(got.timeouts.server_idle == minute);  // still as the kind has it
  // The kind leaves alone how often is probed.
  CHECK(pool("kind = 'gogs'\nprobe_interval = '3s'\n").probe.interval == 3 * second);
}

TEST_CASE("pool: a sticky cookie's name and its keys") {
  CHECK(pool("").sticky.cookie.empty());
  CHECK(pool("sticky = 'off'\n").sticky.cookie.empty());
  const Pool plain = pool("sticky = 'SERVERID'\n");
  CHECK(plain.sticky.cookie == "SERVERID");
  CHECK(plain.sticky.key_file.empty());
  CHECK_FALSE(plain.sticky.secure);
  CHECK(plain.sticky.max_age.count() == 0);
  for (const std::string name : {"", "a b", "a;b", "a=b", "\xc3\xa4", "a,b"})
    CHECK(only("sticky = '" + name + "'\n").find("a cookie's name is 1 to 64 letters") != std::string::npos);
  CHECK(only("sticky = '" + std::string(65, 'a') + "'\n").find("can't be") != std::string::npos);
  CHECK(only("sticky = true\n").find("must be a string") != std::string::npos);
  CHECK(only("sticky_secure = true\n") ==
        "1:17 `sticky_secure` in [pool.gogs] is only used with a `sticky` | add sticky = \"SERVERID\"");
  CHECK(
      only("sticky = '__Secure-x'\n") ==
      "1:10 browsers take a cookie called \"__Secure-x\" over TLS only | add sticky_secure = true, or choose "
      "another name");
  CHECK(only("sticky = 'x'\nsticky_max_age = '8761h'\n").find("from 1s to 8760h, or \"off\"") !=
        std::string::npos);
  CHECK(only("sticky = 'x'\nsticky_key_file = ''\n").find("is not the path of a file") != std::string::npos);
}
