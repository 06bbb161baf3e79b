// Storms as a whole, on one core and on two: what begins when, what follows a push, and that all of it ends.
#include <doctest/doctest.h>

#include <array>
#include <string>
#include <vector>

#include "client/limits.h"
#include "client/site.h"
#include "client/storm_threads.h"
#include "coro/frame_pool.h"
#include "plan/basic_authorization.h"
#include "unit/loadgen/client/small_git_server.h"

using namespace breakwater;
using namespace breakwater::storm;

namespace {

Operation operation(Verb verb) {
  Operation one;
  one.name = "one";
  one.verb = verb;
  return one;
}

// One operation of each arrival against a server of this process.
struct Run {
  explicit Run(const SmallGitServer& server) {
    scenario.target.host = "127.0.0.1";
    scenario.target.port = server.address.port();
    scenario.target.repositories = {"/app.git"};
    scenario.deep_check_per_mille = 0;
    scenario.length = Duration{200};
    scenario.runners.count = 8;
  }
  void go() {
    const std::expected<Site, std::string> site = make_site(scenario.target);
    REQUIRE_MESSAGE(site, site.error());
    StormThreads threads({.scenario = scenario, .arrivals = arrivals, .site = *site});
    const std::string why = threads.open();
    REQUIRE_MESSAGE(why.empty(), why);
    threads.begin(1'000'000);
    if (is_aborted) threads.abort();
    threads.join();
    CHECK(threads.has_ended());
    for (const Collector* const collector : threads.collectors()) {
      for (size_t i = 0; i < failures; ++i)
        if (words[i].empty()) words[i] = collector->words()[i];
      for (size_t i = 0; i < scenario.operations.size(); ++i) {
        if (counts.size() <= i) counts.emplace_back();
        counts[i].add(collector->operations()[i]);
      }
    }
  }
  void add(uint32_t count, uint16_t what = 0) {
    for (uint32_t i = 0; i < count; ++i)
      arrivals.push_back({.at_ns = i * 1'000'000, .operation = what, .runner = i % scenario.runners.count});
  }

  Scenario scenario;
  std::vector<Arrival> arrivals;
  bool is_aborted = false;
  std::vector<OperationCounts> counts;
  std::array<std::string, failures> words;
};

uint64_t failed_by(const OperationCounts& counts, Failure failure) {
  return counts.by_failure[static_cast<size_t>(failure)];
}

}  // namespace

TEST_CASE("all that is due is performed, on one core and on two") {
  for (const uint32_t cores : {1u, 2u}) {
    SmallGitServer server;
    Run run(server);
    run.scenario.cores = cores;
    run.scenario.operations = {operation(Verb::clone)};
    run.add(40);
    run.go();
    CHECK(run.counts[0].ended == 40);
    CHECK(run.counts[0].failed() == 0);
    CHECK(run.counts[0].packs == 40);
    CHECK(run.counts[0].pack_objects == 120);
    CHECK(run.counts[0].connections == 40);
    CHECK(server.fetches == 40);
  }
}

TEST_CASE("what follows a push asks for the commit that it made, from whatever core") {
  SmallGitServer server;
  Run run(server);
  run.scenario.cores = 2;
  run.scenario.operations = {operation(Verb::push), operation(Verb::fetch), operation(Verb::fetch_object)};
  for (uint32_t push = 0; push < 4; ++push) {
    const uint32_t index = static_cast<uint32_t>(run.arrivals.size());
    run.arrivals.push_back({.at_ns = push * 5'000'000, .operation = 0, .runner = push});
    for (uint32_t i = 0; i < 6; ++i)
      run.arrivals.push_back({.at_ns = i * 1'000'000,
                              .operation = static_cast<uint16_t>(1 + i % 2),
                              .runner = (push + i) % 8,
                              .follows = index});
  }
  run.go();
  CHECK(run.counts[0].ended == 4);
  CHECK(run.counts[1].ended == 12);
  CHECK(run.counts[2].ended == 12);
  for (const OperationCounts& counts : run.counts) CHECK(counts.failed() == 0);
  CHECK(server.pushes == 4);
  CHECK(server.fetches == 24);
  CHECK(server.unknown == 0);
}

TEST_CASE("a challenge is answered once in each process, and is not asked for where credentials come first") {
  for (const Authentication how : {Authentication::challenge, Authentication::basic}) {
    SmallGitServer server(3000, basic_authorization("ada", "secret"));
    Run run(server);
    run.scenario.target.authentication = how;
    run.scenario.target.user = "ada";
    run.scenario.target.secret = "secret";
    run.scenario.operations = {operation(Verb::ls_remote)};
    run.add(5);
    run.go();
    CHECK(run.counts[0].failed() == 0);
    CHECK(server.challenges == (how == Authentication::challenge ? 5 : 0));
    CHECK(run.counts[0].phase[static_cast<size_t>(Phase::challenge)].count() ==
          (how == Authentication::challenge ? 5 : 0));
  }
}

TEST_CASE("wrong credentials are a status, after one answer to the challenge") {
  SmallGitServer server(3000, basic_authorization("ada", "another"));
  Run run(server);
  run.scenario.target.authentication = Authentication::challenge;
  run.scenario.target.user = "ada";
  run.scenario.target.secret = "secret";
  run.scenario.operations = {operation(Verb::clone)};
  run.add(3);
  run.go();
  CHECK(failed_by(run.counts[0], Failure::status) == 3);
  CHECK(server.challenges == 6);
}

namespace {

// What one operation that this server makes fail is said to have failed by.
std::string words_of(const Operation& what, Failure failure, const ScriptedServer::Step& step) {
  ScriptedServer server({step});
  SmallGitServer only_for_its_address;
  Run run(only_for_its_address);
  run.scenario.target.port = server.address.port();
  run.scenario.grace = Duration{100};
  run.scenario.operations = {what};
  run.add(1);
  run.go();
  CHECK(failed_by(run.counts[0], failure) == 1);
  return run.words[static_cast<size_t>(failure)];
}

}  // namespace

TEST_CASE("a failure was only a class: its words say what happened") {
  const auto answering = [](std::string bytes) {
    return [bytes](Peer& peer) {
      peer.read_head();
      peer.write(bytes);
    };
  };
  const Operation clone = operation(Verb::clone);
  const std::string advertisement = "GET /app.git/info/refs?service=git-upload-pack";
  CHECK(words_of(clone, Failure::status, answering("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")) ==
        "404 for " + advertisement);
  CHECK(words_of(clone, Failure::refused,
                 answering("HTTP/1.1 503 x\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n")) ==
        "503 for " + advertisement);
  CHECK(words_of(clone, Failure::status,
                 answering("HTTP/1.1 302 x\r\nLocation: http://other/x\r\nContent-Length: 0\r\n\r\n")) ==
        "302 for " + advertisement + ", which leads to http://other/x: not followed");
  CHECK(words_of(clone, Failure::git, answering("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhi!\n")) ==
        "an answer whose Content-Type is none of Git's smart protocol");
  CHECK(words_of(clone, Failure::http, answering("")) == "the connection ended before an answer");
  CHECK(words_of(clone, Failure::http, answering("SSH-2.0-x\r\n\r\n")) == "the head of the answer: not_http");
  CHECK(words_of(clone, Failure::truncated,
                 answering("HTTP/1.1 200 OK\r\nContent-Type: application/x-git-upload-pack-advertisement\r\n"
                           "Content-Length: 40\r\n\r\n")) ==
        "the connection ended in the body of the answer");
  const auto silent = [](Peer& peer) { peer.read_end(); };
  CHECK(words_of(clone, Failure::timed_out, silent) ==
        "still under way when the storm and its grace were over");
  Operation impatient = clone;
  impatient.stall = Duration{20};
  CHECK(words_of(impatient, Failure::stalled, silent) == "nothing came for 20ms");
  impatient = clone;
  impatient.timeout = Duration{20};
  CHECK(words_of(impatient, Failure::timed_out, silent) == "not done within 20ms");
}

TEST_CASE("a failure was only a class: a port where nobody listens, and a ref that is not there") {
  SmallGitServer server;
  Run run(server);
  Operation clone = operation(Verb::clone);
  clone.ref = "nosuch";
  run.scenario.operations = {clone};
  run.add(1);
  run.go();
  CHECK(run.words[static_cast<size_t>(Failure::git)] == "the server has no ref nosuch");
  {
    const ScriptedServer gone({});
    run.scenario.target.port = gone.address.port();
  }
  run.go();
  CHECK(run.words[static_cast<size_t>(Failure::connect)] == "Connection refused");
}

TEST_CASE("no more connections than may be at a time") {
  SmallGitServer server;
  Run run(server);
  run.scenario.cores = 2;
  run.scenario.runners.connections_max = 3;
  run.scenario.operations = {operation(Verb::clone)};
  run.scenario.runners.count = 40;
  for (uint32_t i = 0; i < 40; ++i) run.arrivals.push_back({.runner = i});
  run.go();
  CHECK(run.counts[0].failed() == 0);
  CHECK(run.counts[0].ended == 40);
  // A thread of the server's that has not heard of an end yet counts as one.
  CHECK(server.most_open <= 3 + 3);
}

TEST_CASE("some go away in the middle of a pack, which is no failure") {
  SmallGitServer server(4'000'000);
  Run run(server);
  run.scenario.runners.vanish_percent = 100;
  run.scenario.operations = {operation(Verb::clone)};
  run.add(6);
  run.go();
  CHECK(run.counts[0].vanished == 6);
  CHECK(run.counts[0].ended == 0);
}

TEST_CASE("a closed loop goes on until its time is over") {
  SmallGitServer server;
  Run run(server);
  run.scenario.operations = {operation(Verb::ls_remote)};
  run.scenario.arrivals.push_back({.name = "loop", .shape = Arrivals::Shape::closed, .operations = {0}});
  run.scenario.runners.count = 2;
  run.add(2);
  run.go();
  CHECK(run.counts[0].ended > 2);
  CHECK(run.counts[0].failed() == 0);
}

TEST_CASE("what runs or waits when the grace is over has timed out") {
  ScriptedServer silent({[](Peer& peer) { peer.read_end(); }});
  SmallGitServer only_for_its_address;
  Run run(only_for_its_address);
  run.scenario.target.port = silent.address.port();
  run.scenario.operations = {operation(Verb::clone)};
  run.scenario.runners.count = 1;
  run.scenario.length = Duration{20};
  run.scenario.grace = Duration{30};
  run.add(3);
  run.go();
  CHECK(run.counts[0].ended == 3);
  CHECK(failed_by(run.counts[0], Failure::timed_out) == 3);
}

TEST_CASE("a storm that is broken off counts nothing more, and ends") {
  ScriptedServer silent({[](Peer& peer) { peer.read_end(); }});
  SmallGitServer only_for_its_address;
  Run run(only_for_its_address);
  run.scenario.target.port = silent.address.port();
  run.scenario.length = Duration{60'000};
  run.scenario.operations = {operation(Verb::clone)};
  run.add(1);
  run.is_aborted = true;
  run.go();
  CHECK(run.counts[0].ended == 0);
}

TEST_CASE("another try is made, after a pause, and its outcome counts") {
  SmallGitServer only_for_its_address;
  Run run(only_for_its_address);
  {
    const ScriptedServer gone({});
    run.scenario.target.port = gone.address.port();
  }
  Operation clone = operation(Verb::clone);
  clone.tries = 3;
  clone.retry_min = Duration{5};
  clone.retry_max = Duration{10};
  run.scenario.operations = {clone};
  run.add(2);
  run.go();
  CHECK(failed_by(run.counts[0], Failure::connect) == 2);
  CHECK(run.counts[0].tries == 6);
}

// limits.h adds these up; what it says must not be less than what is used.
TEST_CASE("the frames of an operation in the middle of a pack stay below their bound") {
  SmallGitServer server(8'000'000);
  const std::expected<Site, std::string> site = [&] {
    Target target;
    target.host = "127.0.0.1";
    target.port = server.address.port();
    return make_site(target);
  }();
  REQUIRE(site);
  Scenario scenario;
  scenario.target.repositories = {"/app.git"};
  scenario.operations = {operation(Verb::clone)};
  scenario.runners.count = 1;
  scenario.deep_check_per_mille = 0;
  const std::vector<Arrival> arrivals = {{}};
  Stats stats;
  LogRing log{4096};
  Mailbox mailbox;
  std::string why;
  const std::unique_ptr<Core> core = Core::open(0, core_limits(), stats, log, mailbox, why);
  REQUIRE_MESSAGE(core != nullptr, why);
  const StormPlan plan{.scenario = scenario, .arrivals = arrivals, .site = *site, .start_ns = core->now_ns()};
  Pushes pushes(arrivals);
  bool is_over = false;
  uint64_t ended = 0;
  struct Heard {
    bool& is_over;
    uint64_t& ended;
  } heard{is_over, ended};
  Storm::Listener listener;
  listener.context = &heard;
  listener.on_outcome = [](void* context, const Outcome& outcome, std::string_view) {
    CHECK(outcome.failure == Failure::none);
    ++static_cast<Heard*>(context)->ended;
  };
  listener.on_over = [](void* context) { static_cast<Heard*>(context)->is_over = true; };
  const uint64_t before = FramePool::of_this_thread().live_bytes();
  uint64_t most = 0;
  {
    Storm storm(*core, plan, pushes, listener);
    storm.begin();
    while (!is_over) {
      core->turn();
      most = std::max(most, FramePool::of_this_thread().live_bytes() - before);
    }
  }
  CHECK(ended == 1);
  CHECK(most > 1024);
  CHECK_MESSAGE(most <= operation_frames_bytes_max, most);
  core->stop();
  core->run();
}
