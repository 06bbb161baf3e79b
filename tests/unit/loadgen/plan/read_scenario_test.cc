// Scenarios' files: what is taken, and that every mistake is named, with its place and a hint, in one go.
#include "plan/read_scenario.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <set>
#include <string>

#include "plan/arrivals.h"
#include "plan/scenario_schema.h"
#include "scenario_text.h"
#include "unit/text_of_file.h"

using namespace breakwater::storm;
using namespace std::string_literals;

TEST_CASE("scenario: the smallest file, all else by default") {
  const Scenario scenario = good_scenario(least_scenario).scenario;
  CHECK(scenario.target.host == "127.0.0.1");
  CHECK(scenario.target.port == 3000);
  CHECK_FALSE(scenario.target.tls);
  CHECK(scenario.target.prefix == "");
  CHECK(scenario.target.repositories == std::vector<std::string>{"/a/b.git"});
  CHECK(scenario.target.authentication == Authentication::none);
  CHECK(scenario.length == Scenario().length);
  CHECK(scenario.runners.count == Runners().count);
  REQUIRE(scenario.operations.size() == 1);
  CHECK(scenario.operations[0].name == "clone");
  CHECK(scenario.operations[0].tries == 1);
  REQUIRE(scenario.arrivals.size() == 1);
  CHECK(scenario.arrivals[0].operations == std::vector<uint32_t>{0});  // the only one
  CHECK(scenario.arrivals[0].shape == Arrivals::Shape::constant);
  CHECK(scenario.arrivals[0].rate == 10);
}

TEST_CASE("scenario: every key") {
  const ScenarioFile file = good_scenario(R"(
[arrivals.wave]
shape = "step"
operations = ["job", "poll"]
start = "1s"
length = "90s"
rate = "120/m"
rate_to = "7200/h"
steps = 3
[arrivals.hook]
shape = "fan_out"
operations = ["job"]
push = "push"
count = 8
window = "500ms"
every = "10s"
[storm]
name = "day"
seed = 42
cores = 2
length = "5m"
grace = "20s"
warm_up = "10s"
deep_check = 500
driver = "git"
[target]
url = "https://git.example.com:8443/git/"
repositories = ["team/app.git", "/team/lib.git/"]
authentication = "basic"
user = "ci"
password_file = "/run/secret"
tls_ca = "ca.pem"
tls_name = "git"
[runners]
count = 50
download = "2MiB"
slow_percent = 10
slow_download = "16KiB"
vanish_percent = 5
connections_max = 20
[operation.job]
verb = "clone"
client = "renovate"
protocol = 0
depth = 5
filter = "none"
ref = "main"
weight = 9
tries = 4
retry_min = "1s"
retry_max = "2s"
timeout = "1m"
stall = "15s"
[operation.poll]
client = "jenkins-poll"
[operation.push]
verb = "push"
commits = 3
bytes = "1KiB"
[operation.page]
verb = "page"
path = "/issues"
[operation.blobless]
verb = "clone"
filter = "blob:none"
lazy_objects = 7
)");
  const Scenario& scenario = file.scenario;
  CHECK(scenario.name == "day");
  CHECK(scenario.seed == 42);
  CHECK(scenario.cores == 2);
  CHECK(scenario.length == Duration(300'000));
  CHECK(scenario.grace == Duration(20'000));
  CHECK(scenario.warm_up == Duration(10'000));
  CHECK(scenario.deep_check_per_mille == 500);
  CHECK(scenario.driver == Driver::git);
  const Target& target = scenario.target;
  CHECK(target.tls);
  CHECK(target.host == "git.example.com");
  CHECK(target.port == 8443);
  CHECK(target.prefix == "/git");
  CHECK(target.repositories == std::vector<std::string>{"/team/app.git", "/team/lib.git"});
  CHECK(target.authentication == Authentication::basic);
  CHECK(target.user == "ci");
  CHECK(target.secret == "");
  CHECK(file.password_file.path == "/run/secret");
  CHECK(file.password_file.place.line == 31);
  CHECK(target.tls_ca == "ca.pem");
  CHECK(file.authorities.path == "ca.pem");
  CHECK(target.tls_name == "git");
  CHECK(target.tls_verify);
  CHECK(scenario.runners.count == 50);
  CHECK(scenario.runners.download == 2 << 20);
  CHECK(scenario.runners.slow_percent == 10);
  CHECK(scenario.runners.slow_download == 16 << 10);
  CHECK(scenario.runners.vanish_percent == 5);
  CHECK(scenario.runners.connections_max == 20);
  REQUIRE(scenario.operations.size() == 5);
  const Operation& job = scenario.operations[0];
  CHECK(job.name == "job");  // in the order of the file
  CHECK(job.client == Client::renovate);
  CHECK(job.protocol == 0);
  CHECK(job.depth == 5);
  CHECK_FALSE(job.blobless);
  CHECK(job.ref == "main");
  CHECK(job.weight == 9);
  CHECK(job.tries == 4);
  CHECK(job.retry_min == Duration(1000));
  CHECK(job.retry_max == Duration(2000));
  CHECK(job.timeout == Duration(60'000));
  CHECK(job.stall == Duration(15'000));
  CHECK(scenario.operations[1].verb == Verb::ls_remote);
  CHECK(scenario.operations[2].commits == 3);
  CHECK(scenario.operations[2].bytes == 1024);
  CHECK(scenario.operations[3].path == "/issues");
  CHECK(scenario.operations[4].blobless);
  CHECK(scenario.operations[4].lazy_objects == 7);
  REQUIRE(scenario.arrivals.size() == 2);
  const Arrivals& wave = scenario.arrivals[0];
  CHECK(wave.name == "wave");
  CHECK(wave.shape == Arrivals::Shape::step);
  CHECK(wave.operations == std::vector<uint32_t>{0, 1});
  CHECK(wave.start == Duration(1000));
  CHECK(wave.length == Duration(90'000));
  CHECK(wave.rate == 2);
  CHECK(wave.rate_to == 2);
  CHECK(wave.steps == 3);
  const Arrivals& hook = scenario.arrivals[1];
  CHECK(hook.shape == Arrivals::Shape::fan_out);
  CHECK(hook.push == 2);
  CHECK(hook.count == 8);
  CHECK(hook.window == Duration(500));
  CHECK(hook.every == Duration(10'000));
}

TEST_CASE("scenario: a closed loop, and off") {
  const Scenario scenario =
      good_scenario(
          "target = { url = 'http://[::1]:3000', repositories = ['a'], tls_verify = false, user = 'u', "
          "password_file = 'f' }\n"
          "runners.download = 'off'\nrunners.connections_max = 'off'\nrunners.think = '2s'\n"
          "operation.x = { verb = 'fetch-object', timeout = 'off' }\narrivals.y.shape = 'closed'\n",
          "https://127.0.0.1:1")
          .scenario;
  CHECK(scenario.target.host == "127.0.0.1");
  CHECK(scenario.target.tls);
  CHECK_FALSE(scenario.target.tls_verify);
  CHECK(scenario.target.authentication == Authentication::challenge);  // as git does it
  CHECK(scenario.runners.think == Duration(2000));
  CHECK(scenario.arrivals[0].shape == Arrivals::Shape::closed);
}

TEST_CASE("scenario: what an operation does not say is as its client has it") {
  const auto of = [](const std::string& keys) {
    return good_scenario(
               "[target]\nurl = \"http://h\"\nrepositories = [\"a\"]\n[arrivals.a]\nrate = \"1/s\"\n"
               "[operation.x]\n" +
               keys)
        .scenario.operations[0];
  };
  const Operation renovate = of("client = \"renovate\"\n");
  CHECK(renovate.verb == Verb::clone);
  CHECK(renovate.blobless);
  CHECK(renovate.tries == 6);
  CHECK(renovate.retry_max == Duration(25'000));
  const Operation checkout = of("client = \"actions-checkout\"\ntries = 1\n");
  CHECK(checkout.verb == Verb::fetch_object);
  CHECK(checkout.depth == 1);
  CHECK(checkout.tries == 1);
  CHECK(of("client = \"gitlab-runner\"\nverb = \"push\"\n").depth == 0);
  CHECK(of("verb = \"clone\"\ntries = 2\nretry_min = \"5s\"\n").retry_max == Duration(5000));
}

TEST_CASE("scenario: all mistakes at once, as people read them") {
  const std::string text =
      "[strom]\n[storm]\nlenght = \"10s\"\n[target]\nurl = \"127.0.0.1\"\nrepositories = []\n"
      "[operation.push]\nverb = \"push\"\n[operation.clone]\nverb = \"clone\"\n[arrivals.hook]\nshape = "
      "\"fan_out\"\n"
      "operations = [\"colne\"]\nwindow = \"5s\"\ncount = 3\n";
  const auto read = read_scenario(text);
  REQUIRE(std::holds_alternative<breakwater::config::Problems>(read));
  CHECK(breakwater::config::render(std::get<breakwater::config::Problems>(read), "s.toml", text,
                                   "nothing was begun") ==
        "s.toml:1:2: error: unknown table [strom]\n"
        "  1 | [strom]\n"
        "    |  ^^^^^ did you mean [storm]?\n"
        "s.toml:3:1: error: unknown key `lenght` in [storm]\n"
        "  3 | lenght = \"10s\"\n"
        "    | ^^^^^^ did you mean `length`?\n"
        "s.toml:5:7: error: `url` in [target]: '127.0.0.1' is no URL of a server: it has to begin with "
        "http:// or "
        "https://\n"
        "  5 | url = \"127.0.0.1\"\n"
        "    |       ^^^^^^^^^^^\n"
        "s.toml:6:16: error: `repositories` in [target] must name at least one repository\n"
        "  6 | repositories = []\n"
        "    |                ^^\n"
        "s.toml:11:11: error: [arrivals.hook] has no `push`, which shape = \"fan_out\" needs\n"
        "  11 | [arrivals.hook]\n"
        "     |           ^^^^ for example push = \"NAME\", of an operation that pushes\n"
        "s.toml:13:15: error: there is no [operation.colne] for [arrivals.hook]\n"
        "  13 | operations = [\"colne\"]\n"
        "     |               ^^^^^^^ did you mean `clone`?\n"
        "6 errors; nothing was begun\n");
}

TEST_CASE("scenario: what is not there") {
  CHECK(wrong_in("") ==
        "0:0 no operation ever begins | add [arrivals.steady] with operations = [\"clone\"] and rate = "
        "\"10/s\"\n"
        "0:0 there is no operation | add [operation.clone] with verb = \"clone\"\n"
        "0:0 there is no target | add [target] with url = \"http://127.0.0.1:3000\" and repositories = "
        "[\"/owner/name.git\"]\n");
  CHECK(wrong_in("[target]\n[operation.a]\n[arrivals.b]\n") ==
        "1:2 [target] has no `repositories` | for example repositories = [\"/owner/name.git\"]\n"
        "1:2 [target] has no `url` | for example url = \"http://127.0.0.1:3000\"\n"
        "2:12 [operation.a] has neither a `verb` nor a `client` | for example verb = \"clone\"\n"
        "3:11 [arrivals.b] has no `rate`, which shape = \"constant\" needs | for example rate = \"50/s\"\n");
  // Behind a syntax error nothing is missed.
  CHECK(wrong_in("[target]\nuri = \"x\"\n[operation.a\n") ==
        "2:1 unknown key `uri` in [target] | did you mean `url`?\n"
        "3:13 this is not TOML: error while parsing table header: expected ']', saw '\\n'\n");
}

TEST_CASE("scenario: values that are none") {
  CHECK(wrong_behind("[runners]\ncount = 0\nslow_percent = 101\nvanish_percent = \"5%\"\ndownload = 5\n") ==
        "2:9 `count` in [runners] must be an integer from 1 to 100000, found the integer 0\n"
        "3:16 `slow_percent` in [runners] must be an integer from 0 to 100, found the integer 101\n"
        "4:18 `vanish_percent` in [runners] must be an integer from 0 to 100, found the string \"5%\"\n"
        "5:12 `download` in [runners] must be a size from 1 to 16GiB, or \"off\", found the integer 5 | "
        "write \"5\"\n");
  CHECK(wrong_behind(
            "[storm]\nlength = 60\nseed = -1\nname = \"a b\"\nwarm_up = \"5x\"\ndeep_check = 1001\n") ==
        "2:10 `length` in [storm] must be a duration from 100ms to 168h, found the integer 60 | write the "
        "unit: "
        "\"60s\"\n"
        "3:8 `seed` in [storm] must be an integer from 0 to 4294967295, found the integer -1\n"
        "4:8 `name` in [storm] can't be \"a b\": it is 1 to 64 visible characters of ASCII, without blanks\n"
        "5:11 `warm_up` in [storm] must be a duration from 0s to 24h, found \"5x\" | durations look like "
        "\"500ms\", "
        "\"30s\", \"10m\" or \"1h\"\n"
        "6:14 `deep_check` in [storm] must be an integer from 0 to 1000, found the integer 1001\n");
  CHECK(wrong_behind("[arrivals.b]\nrate = 50\n[arrivals.c]\nrate = \"50\"\n[arrivals.d]\nshape = \"brust\"\n"
                     "[arrivals.e]\nrate = \"0/s\"\n") ==
        "2:8 `rate` in [arrivals.b] must be a rate of at most 1000000/s, found the integer 50 | write the "
        "unit: "
        "\"50/s\"\n"
        "4:8 `rate` in [arrivals.c] must be a rate of at most 1000000/s, found \"50\" | rates look like "
        "\"50/s\", "
        "\"120/m\" or \"3000/h\"\n"
        "6:9 `shape` in [arrivals.d] must be \"constant\", \"poisson\", \"ramp\", \"step\", \"burst\", "
        "\"fan_out\", \"closed\" or \"replay\", found \"brust\" | did you mean `burst`?\n"
        "8:8 with the `rate` in [arrivals.e] nothing ever begins\n");
}

TEST_CASE("scenario: operations that make no sense") {
  CHECK(wrong_behind(
            "[operation.a]\nverb = \"clon\"\n[operation.b]\nverb = \"push\"\ndepth = 3\n[operation.c]\n"
            "verb = \"page\"\n[operation.d]\nverb = \"page\"\npath = \"x\"\ncommits = 2\n[operation.e]\n"
            "verb = \"lfs\"\npath = \"1234:5\"\nclient = \"Git\"\nretry_min = \"1s\"\n"
            "[arrivals.x]\noperations = [\"a\"]\nrate = \"1/s\"\n[arrivals.y]\nrate = \"1/s\"\n") ==
        "-1:11 [arrivals.steady] has no `operations`, and there are several | operations are `clone`, `a`, "
        "`b`, `c`, "
        "`d`, `e`\n"
        "2:8 `verb` in [operation.a] must be \"ls-remote\", \"clone\", \"fetch\", \"fetch-object\", "
        "\"tags\", \"push\", "
        "\"lfs\", \"dumb\" or \"page\", found \"clon\" | did you mean `clone`?\n"
        "5:9 `depth` in [operation.b] is only used with verb = \"clone\", \"fetch\" or \"fetch-object\"\n"
        "6:12 [operation.c] has no `path`, which verb = \"page\" needs\n"
        "10:8 `path` in [operation.d] can't be \"x\": it has to begin with a slash, and have at most 2048 "
        "bytes\n"
        "11:11 `commits` in [operation.d] is only used with verb = \"push\"\n"
        "15:10 `client` in [operation.e] must be \"git\", \"actions-checkout\", \"gitlab-runner\", "
        "\"jenkins-poll\" or "
        "\"renovate\", found \"Git\" | did you mean `git`?\n"
        "16:13 `retry_min` in [operation.e] is only used with more than one of `tries`\n"
        "20:11 [arrivals.y] has no `operations`, and there are several | operations are `clone`, `a`, `b`, "
        "`c`, `d`, "
        "`e`\n");
  CHECK(wrong_behind("[operation.e]\nverb = \"lfs\"\npath = \"1234:5\"\n").starts_with("-1:11"));
}

TEST_CASE("scenario: LFS objects are known by their SHA-256 and their size") {
  const auto of = [](const std::string& path) {
    return "[target]\nurl = \"http://h\"\nrepositories = [\"a\"]\n[arrivals.a]\nrate = "
           "\"1/s\"\n[operation.x]\nverb = "
           "\"lfs\"\npath = \"" +
           path + "\"\n";
  };
  const std::string oid(64, 'a');
  CHECK(good_scenario(of(oid + ":5," + oid + ":123")).scenario.operations[0].path.size() == 135);
  for (const std::string& path :
       {oid, oid + ":", oid + ":x", oid + ":5,", oid + ":5;" + oid + ":5", "A" + oid.substr(1) + ":5"})
    CHECK_MESSAGE(wrong_in(of(path)).find("it is no list of LFS objects | write \"OID:BYTES,OID:BYTES\"") !=
                      std::string::npos,
                  path);
}

TEST_CASE("scenario: names of operations") {
  const std::string both = "[operation.push]\nverb = \"push\"\n[storm]\nlength = \"60s\"\n[arrivals.b]\n";
  const auto of = [&](const std::string& keys) {
    std::string all = wrong_behind(both + keys);
    const std::string noise =
        "-1:11 [arrivals.steady] has no `operations`, and there are several | operations are `clone`, "
        "`push`\n";
    REQUIRE(all.starts_with(noise));
    return all.substr(noise.size());
  };
  CHECK(of("shape = \"fan_out\"\noperations = [\"push\"]\npush = \"clone\"\ncount = 3\nwindow = \"1s\"\n") ==
        "7:15 [operation.push] can't follow a push in [arrivals.b]: it is one itself | name it as `push`\n"
        "8:8 `push` in [arrivals.b] is [operation.clone], which does not push | it needs verb = \"push\"\n");
  CHECK(of("operations = [\"clone\", \"clone\"]\nrate = \"1/s\"\n") ==
        "6:24 operation \"clone\" stands in `operations` of [arrivals.b] twice | give it a `weight` in its "
        "own table\n");
  CHECK(of("operations = []\nrate = \"1/s\"\n") ==
        "6:14 `operations` in [arrivals.b] must name at least one operation\n");
  CHECK(of("operations = \"clone\"\nrate = \"1/s\"\n") ==
        "6:14 `operations` in [arrivals.b] must be an array of names of operations, found the string "
        "\"clone\" | write "
        "operations = [\"clone\"]\n");
  CHECK(of("operations = [\"everything\"]\nrate = \"1/s\"\n") ==
        "6:15 there is no [operation.everything] for [arrivals.b] | operations are `clone`, `push`\n");
}

TEST_CASE("scenario: a crowd needs its count, its window, its time and its runners") {
  const std::string burst = "[arrivals.b]\nshape = \"burst\"\n";
  CHECK(wrong_behind(burst) ==
        "1:11 [arrivals.b] has no `count`, which shape = \"burst\" needs | for example count = 100\n"
        "1:11 [arrivals.b] has no `window`, which shape = \"burst\" needs | for example window = \"30s\"\n");
  CHECK(wrong_behind(burst + "count = 5\nwindow = \"2m\"\n") ==
        "4:10 the `window` in [arrivals.b] ends after 2m, and the storm after 1m | make `length` in [storm] "
        "longer\n");
  CHECK(wrong_behind(burst + "count = 5\nwindow = \"1s\"\nstart = \"60s\"\n") ==
        "5:9 `start` in [arrivals.b] is 1m, and nothing begins after the 1m of the storm's `length`\n");
  CHECK(
      wrong_behind(burst + "count = 5\nwindow = \"1s\"\nrate = \"5/s\"\nevery = \"0s\"\n") ==
      "5:8 `rate` in [arrivals.b] is only used with shape = \"constant\", \"poisson\", \"ramp\" or \"step\"\n"
      "6:9 `every` in [arrivals.b] must be a duration from 1ms to 168h, found \"0s\"\n");
  CHECK(
      wrong_in(
          "[target]\nurl = \"http://h\"\nrepositories = [\"a\"]\n[runners]\ncount = 8\n[operation.p]\nverb = "
          "\"push\"\n[operation.f]\nverb = \"fetch\"\n[arrivals.b]\nshape = \"fan_out\"\noperations = "
          "[\"f\"]\npush = "
          "\"p\"\nwindow = \"1s\"\ncount = 8\n") ==
      "15:9 `count` in [arrivals.b] is 8, and with the one that pushes there are only 8 runners | `count` in "
      "[runners] has to be more\n");
}

TEST_CASE("scenario: keys that do nothing") {
  CHECK(
      wrong_behind("[runners]\nthink = \"1s\"\nslow_download = \"1KiB\"\n[storm]\nwarm_up = \"60s\"\n") ==
      "2:9 `think` in [runners] is only used with arrivals of shape = \"closed\"\n"
      "3:17 `slow_download` in [runners] is only used with a `slow_percent` | for example slow_percent = 10\n"
      "5:11 `warm_up` in [storm] is 1m, and nothing begins after the 1m of `length`\n");
  const std::string rest = "[operation.clone]\nverb = \"clone\"\n[arrivals.steady]\nrate = \"10/s\"\n";
  const auto of = [&](const std::string& keys) {
    return wrong_in("[target]\nrepositories = [\"a\"]\n" + keys + rest, 2);
  };
  CHECK(of("url = \"http://h\"\ntls_ca = \"x\"\n") ==
        "2:10 `tls_ca` in [target] is only used with an https:// `url`\n");
  CHECK(of("url = \"https://h\"\ntls_ca = \"x\"\ntls_verify = false\n") ==
        "2:10 `tls_ca` in [target] is only used with `tls_verify`\n");
  CHECK(of("url = \"https://h\"\nauthentication = \"none\"\nuser = \"x\"\n") ==
        "3:8 `user` in [target] is only used with an `authentication` other than \"none\"\n");
  CHECK(of("url = \"https://h\"\nauthentication = \"bearer\"\nuser = \"x\"\n") ==
        "-1:2 [target] has no `password_file` to authenticate with | for example password_file = \"secret\", "
        "which has "
        "it in its first line\n"
        "3:8 `user` in [target] is only used with authentication = \"challenge\" or \"basic\"\n");
  CHECK(of("url = \"https://h\"\npassword_file = \"x\"\n") ==
        "-1:2 [target] has no `user` to authenticate as | for example user = \"ci\"\n");
}

TEST_CASE("scenario: repositories") {
  const auto of = [](const std::string& list) {
    return wrong_in("[target]\nurl = \"http://h\"\nrepositories = " + list +
                    "\n[operation.clone]\nverb = \"clone\"\n[arrivals.steady]\nrate = \"10/s\"\n");
  };
  CHECK(of("[\"a\", \"/a\", \"\", \"a b\", \"x?y\", 5]") ==
        "3:22 \"/a\" stands in `repositories` of [target] twice\n"
        "3:28 \"\" in `repositories` of [target] is not the path of a repository | for example "
        "\"/owner/name.git\"\n"
        "3:32 \"a b\" in `repositories` of [target] is not the path of a repository | for example "
        "\"/owner/name.git\"\n"
        "3:39 \"x?y\" in `repositories` of [target] is not the path of a repository | for example "
        "\"/owner/name.git\"\n"
        "3:46 `repositories` in [target] must be a string (\"/owner/name.git\"), found the integer 5\n");
}

TEST_CASE("scenario: those that come with stormgen are good, and say how they are run") {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(SCENARIOS)) {
    const std::string name = entry.path().filename();
    INFO(name);
    names.insert(name);
    const std::string text = text_of_file(entry.path());
    const Scenario scenario = good_scenario(text).scenario;
    CHECK(scenario.name + ".toml" == name);
    CHECK(scenario.target.host == "127.0.0.1");
    CHECK(text.starts_with("# "));
    CHECK(text.find("#     ./build/loadgen/stormgen run loadgen/scenarios/" + name + "\n") !=
          std::string::npos);
    CHECK(plan_arrivals(scenario).has_value());
  }
  CHECK(names == std::set<std::string>{"big-repository-clone.toml", "hour-tick.toml", "mixed-day.toml",
                                       "poll-storm.toml", "push-fan-out.toml", "slow-readers.toml"});
}

// Every key has a line, in the section of its table, and none is there that is no key.
TEST_CASE("scenario: docs/scenarios.md says what every key is") {
  const std::string page = text_of_file(SCENARIOS_PAGE);
  const auto section_of = [&](const std::string& title) {
    const size_t begin = page.find("\n## `[" + title + "]`");
    REQUIRE_MESSAGE(begin != std::string::npos, title);
    return page.substr(begin, page.find("\n## ", begin + 1) - begin);
  };
  const auto look = [&](const std::string& title, auto& keys) {
    const std::string section = section_of(title);
    size_t rows = 0;
    for (size_t at = section.find("\n| `"); at != std::string::npos; at = section.find("\n| `", at + 1))
      rows++;
    CHECK(rows == std::size(keys));
    for (const std::string_view key : keys)
      CHECK_MESSAGE(section.find("\n| `" + std::string(key) + "` |") != std::string::npos, key);
  };
  look("storm", storm_keys);
  look("target", target_keys);
  look("runners", runner_keys);
  look("operation.NAME", operation_keys);
  look("arrivals.NAME", arrivals_keys);
  for (const auto& word : verb_words)
    CHECK(page.find("`" + std::string(word.text) + "`") != std::string::npos);
  for (const auto& word : shape_words)
    CHECK(page.find("`" + std::string(word.text) + "`") != std::string::npos);
}
