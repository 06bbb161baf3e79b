// The command line of stormgen: which scenario it makes, what it refuses, and what another machine takes.
#include "command/command_line.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

using namespace breakwater::storm;
using Command = CommandLine::Command;
using Shape = Arrivals::Shape;

namespace {

const std::string url = "http://127.0.0.1:3000/team/app.git";

CommandLine parsed(const std::vector<std::string>& words) {
  std::vector<const char*> all = {"stormgen"};
  for (const std::string& word : words) all.push_back(word.c_str());
  return parse_command_line(static_cast<int>(all.size()), all.data());
}

Scenario scenario_of(const std::vector<std::string>& words) {
  const CommandLine line = parsed(words);
  REQUIRE_MESSAGE(line.command == Command::storm, line.text);
  return line.scenario;
}

std::string refusal_of(const std::vector<std::string>& words) {
  const CommandLine line = parsed(words);
  CHECK(line.command == Command::print);
  CHECK(line.exit_status == 2);
  return line.text;
}

// A file, until the end of the test.
class TextFile {
 public:
  explicit TextFile(const std::string& text) {
    char name[] = "/tmp/stormgen-test-XXXXXX";
    ::close(mkstemp(name));
    path = name;
    std::ofstream(path) << text;
  }
  ~TextFile() { std::remove(path.c_str()); }
  std::string path;
};

const std::string burst_of_2000 =
    "[storm]\nseed = 3\n[target]\nurl = \"http://192.0.2.1\"\nrepositories = [\"a\"]\n[runners]\ncount = 40\n"
    "[operation.clone]\nverb = \"clone\"\n[arrivals.tick]\nshape = \"burst\"\ncount = 2000\nwindow = "
    "\"20s\"\n";

}  // namespace

TEST_CASE("command line: a rate") {
  const CommandLine line = parsed({"clone", url, "--rate", "120/m", "--poisson", "--for", "5s", "--runners",
                                   "7", "--seed", "9", "--depth", "3", "--json", "out", "--dry-run"});
  REQUIRE_MESSAGE(line.command == Command::storm, line.text);
  CHECK(line.forms.json == "out");
  CHECK(line.is_dry);
  const Scenario& scenario = line.scenario;
  CHECK(scenario.name == "clone");
  CHECK(scenario.seed == 9);
  CHECK(scenario.length == Duration(5000));
  CHECK(scenario.runners.count == 7);
  CHECK(scenario.target.repositories == std::vector<std::string>{"/team/app.git"});
  CHECK(scenario.operations.at(0).depth == 3);
  CHECK(scenario.arrivals.at(0).shape == Shape::poisson);
  CHECK(scenario.arrivals.at(0).rate == 2);
  CHECK(scenario_of({"clone", url}).arrivals.at(0).rate == 10);
  CHECK(scenario_of({"clone", url}).length == Duration(10'000));
}

TEST_CASE("command line: a word that is no command was not named") {
  CHECK(refusal_of({"foo"}) ==
        "stormgen: 'foo' is no command; commands are run, check, ls-remote, clone, fetch, fetch-object, "
        "tags, push, "
        "lfs, dumb, page, compare and origin\n");
  CHECK(refusal_of({"cloen", url}) == "stormgen: 'cloen' is no command; did you mean `clone`?\n");
  CHECK(refusal_of({}).find("subcommand is required") != std::string::npos);
  CHECK(parsed({"--version"}).exit_status == 0);
}

TEST_CASE("command line: a rate without its unit was taken, and a file's was not") {
  CHECK(refusal_of({"clone", url, "--rate", "50"}) ==
        "stormgen: --rate: '50' is no rate: write 50/s, 120/m or 3000/h\n");
  CHECK(refusal_of({"clone", url, "--allow-target", "127.0.0.1", "--max-rate", "50", "--max-runners",
                    "50"}) == "stormgen: --max-rate: '50' is no rate: write 50/s, 120/m or 3000/h\n");
}

TEST_CASE("command line: a client tries again as it really does") {
  const Operation operation = scenario_of({"clone", url, "--client", "renovate"}).operations.at(0);
  CHECK(operation.tries == 6);
  CHECK(operation.retry_max == Duration(25'000));
}

TEST_CASE("command line: a burst, by as many machines") {
  Scenario scenario = scenario_of({"clone", url, "--burst", "500", "--within", "30s"});
  CHECK(scenario.arrivals.at(0).shape == Shape::burst);
  CHECK(scenario.arrivals.at(0).count == 500);
  CHECK(scenario.arrivals.at(0).window == Duration(30'000));
  CHECK(scenario.runners.count == 500);
  CHECK(scenario.length == Duration(30'000));
  scenario =
      scenario_of({"clone", url, "--burst", "500", "--within", "3s", "--every", "60s", "--runners", "8"});
  CHECK(scenario.arrivals.at(0).every == Duration(60'000));
  CHECK(scenario.runners.count == 8);
  CHECK(scenario.length == Duration(63'000));  // two of them
}

TEST_CASE("command line: a fan-out of pushes, and of another operation") {
  Scenario scenario =
      scenario_of({"push", url, "--fan-out", "30", "--within", "5s", "--every", "10s", "--ref", "ci"});
  CHECK(scenario.arrivals.at(0).shape == Shape::fan_out);
  CHECK(scenario.runners.count == 31);
  REQUIRE(scenario.operations.size() == 2);
  CHECK(scenario.operations[scenario.arrivals[0].push].verb == Verb::push);
  CHECK(scenario.operations[scenario.arrivals[0].push].ref == "ci");
  CHECK(scenario.operations[scenario.arrivals[0].operations.at(0)].verb == Verb::fetch_object);
  CHECK(scenario.operations[scenario.arrivals[0].operations.at(0)].ref == "");
  scenario = scenario_of({"clone", url, "--fan-out", "3", "--within", "1s"});
  CHECK(scenario.operations[scenario.arrivals[0].operations.at(0)].verb == Verb::clone);
  CHECK(scenario.operations[scenario.arrivals[0].push].verb == Verb::push);
}

TEST_CASE("command line: what makes no sense") {
  CHECK(refusal_of({"clone", url, "--burst", "5"}) ==
        "stormgen: --burst and --fan-out need a time to be spread over, for example --within 30s\n");
  CHECK(refusal_of({"clone", url, "--within", "5s"}) ==
        "stormgen: --within and --every belong to --burst or --fan-out\n");
  CHECK(refusal_of({"clone", url, "--burst", "5", "--within", "5s", "--for", "1s"}) ==
        "stormgen: --within is 5s, and nothing begins after the 1s of --for\n");
  CHECK(refusal_of({"clone", url, "--burst", "5", "--within", "5s", "--every", "0s"}) ==
        "stormgen: --every: it has to be more than no time\n");
  CHECK(refusal_of({"push", url, "--fan-out", "5", "--within", "5s", "--runners", "5"}) ==
        "stormgen: --fan-out 5 takes at least 6 --runners: one that pushes, and all the others\n");
  CHECK(refusal_of({"clone", url, "--rate", "0/s"}).find("is no rate: write 50/s") != std::string::npos);
  CHECK(refusal_of({"clone", url, "--burst", "5", "--rate", "1/s"}).find("--burst") != std::string::npos);
  CHECK(refusal_of({"clone", url, "--burst", "5", "--fan-out", "1"}).find("--burst") != std::string::npos);
  CHECK(refusal_of({"run"}).find("FILE") != std::string::npos);
}

TEST_CASE("command line: what an operation makes nothing of was ignored") {
  CHECK(refusal_of({"ls-remote", url, "--depth", "3"}) ==
        "stormgen: --depth means nothing to ls-remote, only to clone, fetch or fetch-object\n");
  CHECK(refusal_of({"tags", url, "--filter", "blob:none"}) ==
        "stormgen: --filter means nothing to tags, only to clone, fetch or fetch-object\n");
  CHECK(refusal_of({"clone", url, "--commits", "3"}) ==
        "stormgen: --commits means nothing to clone, only to push\n");
  CHECK(refusal_of({"dumb", url, "--ref", "main"}).find("--ref means nothing to dumb, only to ") == 10);
  CHECK(refusal_of({"push", url, "--path", "/x"}) ==
        "stormgen: --path means nothing to push, only to lfs or page\n");
  CHECK(refusal_of({"push", url, "--depth", "1"}).find("--depth means nothing to push") == 10);
  CHECK(
      scenario_of({"push", url, "--depth", "1", "--fan-out", "2", "--within", "1s"}).operations.at(0).depth ==
      1);
  CHECK(scenario_of({"clone", url, "--commits", "3", "--fan-out", "2", "--within", "1s"})
            .operations.at(1)
            .commits == 3);
}

TEST_CASE("command line: pages and LFS objects were stormed without a --path") {
  CHECK(refusal_of({"page", url}) ==
        "stormgen: page needs --path: what comes behind the repository, for example /issues\n");
  CHECK(refusal_of({"page", url, "--path", "issues"}) ==
        "stormgen: --path can't be \"issues\": it has to begin with a slash, and have at most 2048 bytes\n");
  CHECK(refusal_of({"lfs", url}) == "stormgen: lfs needs --path OID:BYTES,OID:BYTES\n");
  CHECK(refusal_of({"lfs", url, "--path", "1234:5"}) ==
        "stormgen: --path can't be \"1234:5\": it is no list of LFS objects\n");
  CHECK(scenario_of({"lfs", url, "--path", std::string(64, 'a') + ":5"}).operations.at(0).path.size() == 66);
}

TEST_CASE("command line: a ceiling counts a burst by its window") {
  const TextFile file(burst_of_2000);
  const auto allow = [&](const char* rate, const char* runners) {
    return parsed(
        {"run", file.path, "--allow-target", "192.0.2.1", "--max-rate", rate, "--max-runners", runners});
  };
  CHECK(allow("99/s", "40").text == "stormgen: up to 100/s operations would begin, above --max-rate 99/s\n");
  CHECK(allow("99/s", "40").command == Command::print);
  CHECK(allow("100/s", "39").text == "stormgen: there are 40 runners, above --max-runners 39\n");
  const CommandLine good = allow("100/s", "40");
  CHECK(good.command == Command::storm);
  CHECK(good.allows_target);
  CHECK_FALSE(parsed({"run", file.path}).allows_target);
  CHECK(refusal_of({"run", file.path, "--allow-target", "example.com", "--max-rate", "1/s", "--max-runners",
                    "1"}) == "stormgen: --allow-target names another host than the URL, 192.0.2.1\n");
  CHECK(refusal_of({"run", file.path, "--target", "http://h", "--allow-target", "192.0.2.1"})
            .find("another host") != std::string::npos);
}

TEST_CASE("command line: a file, and what is said in its place") {
  const TextFile file(burst_of_2000);
  CHECK(scenario_of({"run", file.path}).seed == 3);
  CHECK(scenario_of({"run", file.path, "--seed", "8"}).seed == 8);
  CHECK(scenario_of({"run", file.path, "--target", "http://[::1]:5/x"}).target.prefix == "/x");
  CHECK(scenario_of({"run", file.path, "--cores", "2"}).cores == 2);
  CHECK(refusal_of({"run", file.path, "--target", "h"}) ==
        "stormgen: --target: 'h' is no URL of a server: it has to begin with http:// or https://\n");
  const CommandLine checked = parsed({"check", file.path});
  CHECK(checked.exit_status == 0);
  CHECK(checked.text == file.path +
                            ": ok\n2000 operations of 40 runners in 1m, up to 100/s, 1 repository at "
                            "http://192.0.2.1:80, seed 3\n");
}

TEST_CASE("command line: a file that can't be had, or is none") {
  CHECK(refusal_of({"check", "/nowhere/x.toml"}) ==
        "stormgen: can't read /nowhere/x.toml: No such file or directory\n");
  CHECK(refusal_of({"check", "/"}) == "stormgen: can't read /: Is a directory\n");
  const TextFile file(
      "[storm]\nlenght = 5\n[operation.a]\nverb = \"tags\"\n[arrivals.a]\nrate = \"1/s\"\n[target]\nurl = "
      "\"http://h\"\n"
      "repositories = [\"a\"]\n");
  for (const char* const command : {"check", "run"})
    CHECK(refusal_of({command, file.path}) == file.path +
                                                  ":2:1: error: unknown key `lenght` in [storm]\n"
                                                  "  2 | lenght = 5\n"
                                                  "    | ^^^^^^ did you mean `length`?\n"
                                                  "1 error; nothing was begun\n");
  const TextFile endless(
      "[storm]\nlength = \"24h\"\n[operation.a]\nverb = \"tags\"\n[arrivals.a]\nrate = \"1000/s\"\n[target]\n"
      "url = \"http://h\"\nrepositories = [\"a\"]\n");
  CHECK(refusal_of({"check", endless.path}) ==
        endless.path +
            ": error: more than 5000000 operations: lower the rate, or "
            "make it shorter\n");
}

TEST_CASE("command line: secrets come from a file, and are missed where they are named") {
  const auto text = [](const std::string& file) {
    return "[target]\nurl = \"https://h\"\nrepositories = [\"a\"]\nuser = \"ci\"\npassword_file = \"" + file +
           "\"\ntls_ca = \"/nowhere/ca\"\n[operation.a]\nverb = \"tags\"\n[arrivals.a]\nrate = \"1/s\"\n";
  };
  const TextFile missing(text("/nowhere/secret"));
  CHECK(
      refusal_of({"check", missing.path}) ==
      missing.path +
          ":5:17: error: `password_file` in [target]: /nowhere/secret has no first line that could be read\n"
          "  5 | password_file = \"/nowhere/secret\"\n"
          "    |                 ^^^^^^^^^^^^^^^^^\n" +
          missing.path +
          ":6:10: error: `tls_ca` in [target]: /nowhere/ca can't be read\n"
          "  6 | tls_ca = \"/nowhere/ca\"\n"
          "    |          ^^^^^^^^^^^^^\n"
          "2 errors; nothing was begun\n");
  const TextFile secret("sesame\r\nmore\n");
  std::string plain = text(secret.path);
  plain.erase(plain.find("tls_ca"), std::string("tls_ca = \"/nowhere/ca\"\n").size());
  const TextFile file(plain);
  const Scenario scenario = scenario_of({"run", file.path});
  CHECK(scenario.target.secret == "sesame");
  CHECK(scenario.target.authentication == Authentication::challenge);
  CHECK(parsed({"check", file.path}).text.find("sesame") == std::string::npos);
}
