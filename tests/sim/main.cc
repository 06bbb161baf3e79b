// The simulator's command line: runs seeds in a few processes, replays one with its trace, or makes a failing
// one smaller. docs/testing.md is the guide.
#include <malloc.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <new>
#include <string>
#include <utility>
#include <vector>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#endif

#include "coro/frame_pool.h"
#include "sim/verdict.h"
#include "sim/world.h"

namespace breakwater::sim {
namespace {

constexpr int found_status = 3;  // of a process whose run broke a rule
constexpr uint32_t jobs_max = 64;

constexpr const char* usage = R"(usage: sim [options]

  --seeds N              run N seeds (1000)
  --from S               the first seed (1)
  --for DURATION         run seeds until that time is over: 90s, 20m, 8h
  --jobs N               processes (as many as there are CPUs)
  --seed S               run this one only
    --trace              and print what happens, event by event
    --describe           only print its scenario
    --shrink             it fails: find a smaller scenario that still does
    --clients 1,2        only these clients
    --without-clients 1,2, --requests N, --without-faults 1,2, --no-restarts, --no-drain
                         leave these out (the shrinker prints them)
  --expect-violation     succeed only if one of the seeds breaks a rule (for planted bugs)
  --quiet                no list of what was reached
)";

struct Options {
  uint64_t from = 1, seeds = 1000;
  int64_t for_seconds = 0;
  uint32_t jobs = 0;
  bool one = false, trace = false, describe = false, shrink = false, expect_violation = false, quiet = false;
  Reduction reduction;
};

std::vector<uint32_t> numbers(const std::string& text) {
  std::vector<uint32_t> out;
  size_t at = 0;
  while (at < text.size()) {
    out.push_back(static_cast<uint32_t>(std::strtoul(text.c_str() + at, nullptr, 10)));
    at = std::min(text.find(',', at), text.size() - 1) + 1;
  }
  return out;
}

[[noreturn]] void complain(const std::string& what) {
  std::fprintf(stderr, "sim: %s\n\n%s", what.c_str(), usage);
  std::exit(2);
}

uint64_t number(const std::string& option, const std::string& text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) complain(option + " takes a number");
  return value;
}

Options parse(int argc, char** argv) {
  Options options;
  for (int index = 1; index < argc; index++) {
    const std::string word = argv[index];
    const auto value = [&]() -> std::string {
      if (index + 1 == argc) complain(word + " needs a value");
      return argv[++index];
    };
    if (word == "--seeds")
      options.seeds = number(word, value());
    else if (word == "--from")
      options.from = number(word, value());
    else if (word == "--jobs")
      options.jobs = static_cast<uint32_t>(std::min<uint64_t>(number(word, value()), jobs_max));
    else if (word == "--seed") {
      options.one = true;
      options.from = number(word, value());
    } else if (word == "--trace")
      options.trace = true;
    else if (word == "--describe")
      options.describe = true;
    else if (word == "--shrink")
      options.shrink = true;
    else if (word == "--expect-violation")
      options.expect_violation = true;
    else if (word == "--quiet")
      options.quiet = true;
    else if (word == "--clients")
      options.reduction.clients = numbers(value());
    else if (word == "--without-clients")
      options.reduction.without_clients = numbers(value());
    else if (word == "--requests")
      options.reduction.requests_max = static_cast<uint32_t>(number(word, value()));
    else if (word == "--without-faults") {
      for (const uint32_t fault : numbers(value()))
        options.reduction.without_faults.push_back(static_cast<uint8_t>(fault));
    } else if (word == "--no-restarts")
      options.reduction.no_restarts = true;
    else if (word == "--no-drain")
      options.reduction.no_drain = true;
    else if (word == "--for") {
      const std::string text = value();
      const int64_t count = std::strtoll(text.c_str(), nullptr, 10);
      const char unit = text.empty() ? '?' : text.back();
      options.for_seconds = count * (unit == 's' ? 1 : unit == 'm' ? 60 : unit == 'h' ? 3600 : 0);
      if (options.for_seconds <= 0) complain("--for takes a time such as 90s, 20m or 8h");
      options.seeds = UINT64_MAX / 2;
    } else if (word == "--help") {
      std::fputs(usage, stdout);
      std::exit(0);
    } else
      complain("there is no option " + word);
  }
  if (options.jobs == 0) options.jobs = static_cast<uint32_t>(std::max(1L, sysconf(_SC_NPROCESSORS_ONLN)));
  options.jobs = std::min(options.jobs, jobs_max);
  return options;
}

std::string program = "sim";

std::string replay(uint64_t seed, const Reduction& reduction) {
  return program + " --seed " + std::to_string(seed) + reduction.arguments() + " --trace";
}

using Coverage = std::map<std::string, uint64_t>;

Summary run_one(uint64_t seed, const Reduction& reduction, bool trace, Coverage& coverage) {
  set_replay_command(replay(seed, reduction));
  const Scenario scenario = make_scenario(seed, reduction);
  if (trace) std::printf("%s\n", scenario.describe().c_str());
  const Summary summary = run(scenario, trace, coverage);
  if (FramePool::of_this_thread().live_count() != 0) violation("a coroutine never ended");
  return summary;
}

// ---- many seeds in several processes

struct Shared {
  std::atomic<uint64_t> next{0}, done{0}, connections{0}, requests{0}, turns{0};
  std::atomic<int64_t> simulated_ms{0};
  std::atomic<bool> stop{false};
};

void work(const Options& options, Shared& shared, int report, std::chrono::steady_clock::time_point until) {
  Coverage coverage;
  for (;;) {
    const uint64_t number = shared.next.fetch_add(1);
    if (number >= options.seeds || shared.stop.load()) break;
    if (options.for_seconds > 0 && std::chrono::steady_clock::now() >= until) break;
    const Summary summary = run_one(options.from + number, options.reduction, false, coverage);
    shared.done++;
    shared.connections += summary.connections;
    shared.requests += summary.requests;
    shared.turns += summary.turns;
    shared.simulated_ms += summary.simulated_ns / ms;
  }
  std::string text;
  for (const auto& [what, count] : coverage) text += what + "=" + std::to_string(count) + "\n";
  const char* data = text.data();
  for (size_t left = text.size(); left > 0;) {
    const ssize_t written = write(report, data, left);
    if (written <= 0) break;
    data += written;
    left -= static_cast<size_t>(written);
  }
#ifdef __SANITIZE_ADDRESS__
  __lsan_do_leak_check();
#endif
  _exit(0);
}

void print_coverage(const Coverage& coverage) {
  std::vector<std::string> never;
  size_t reached = 0;
  const std::vector<std::string> all = everything_to_cover();
  for (const std::string& what : all) {
    const auto found = coverage.find(what);
    if (found != coverage.end() && found->second > 0)
      reached++;
    else
      never.push_back(what);
  }
  std::printf("\n%-52s times\n", "reached");
  for (const auto& [what, count] : coverage) {
    if (count > 0) std::printf("  %-50s %llu\n", what.c_str(), static_cast<unsigned long long>(count));
  }
  std::printf("\n%zu of %zu known states and transitions were reached", reached, all.size());
  std::printf(never.empty() ? "\n" : "; never:\n");
  for (const std::string& what : never) std::printf("  %s\n", what.c_str());
}

// A worker's report: lines of "what=count".
void add(const std::string& text, Coverage& coverage) {
  for (size_t at = 0; at < text.size();) {
    const size_t end = text.find('\n', at);
    const size_t equals = text.rfind('=', end);
    coverage[text.substr(at, equals - at)] += std::stoull(text.substr(equals + 1, end - equals - 1));
    at = end + 1;
  }
}

int run_many(const Options& options) {
  void* const memory =
      mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  Shared& shared = *new (memory) Shared;
  const auto begun = std::chrono::steady_clock::now();
  const auto until = begun + std::chrono::seconds(options.for_seconds);
  std::fflush(stdout);
  std::vector<pid_t> workers;
  std::vector<pollfd> reports;
  for (uint32_t job = 0; job < options.jobs; job++) {
    int ends[2];
    if (pipe(ends) != 0) complain("no pipe");
    const pid_t pid = fork();
    if (pid == 0) {
      close(ends[0]);
      work(options, shared, ends[1], until);
    }
    close(ends[1]);
    workers.push_back(pid);
    reports.push_back({.fd = ends[0], .events = POLLIN, .revents = 0});
  }
  Coverage coverage;
  bool failed = false;
  std::vector<std::string> texts(workers.size());
  for (size_t left = workers.size(); left > 0;) {
    poll(reports.data(), reports.size(), -1);
    for (size_t job = 0; job < workers.size(); job++) {
      if (reports[job].revents == 0) continue;
      char room[4096];
      const ssize_t got = read(reports[job].fd, room, sizeof room);
      if (got > 0) {
        texts[job].append(room, static_cast<size_t>(got));
        continue;
      }
      close(std::exchange(reports[job].fd, -1));
      left--;
      int status = 0;
      const bool well = waitpid(workers[job], &status, 0) == workers[job] && status == 0;
      if (!well) failed = shared.stop = true;  // the others finish the seed they are at
      add(texts[job], coverage);
    }
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  const uint64_t done = shared.done.load();
  std::printf(
      "%llu seeds in %.1f s (%.1f ms a seed in each of %u processes): %llu connections, %llu requests, %llu "
      "turns, %lld s simulated\n",
      static_cast<unsigned long long>(done), seconds,
      done == 0 ? 0.0 : seconds * 1000 * options.jobs / static_cast<double>(done), options.jobs,
      static_cast<unsigned long long>(shared.connections.load()),
      static_cast<unsigned long long>(shared.requests.load()),
      static_cast<unsigned long long>(shared.turns.load()),
      static_cast<long long>(shared.simulated_ms.load() / 1000));
  if (!options.quiet && !failed) print_coverage(coverage);
  if (!options.expect_violation) return failed ? 1 : 0;
  std::printf(failed ? "the planted bug was found\n" : "the planted bug was NOT found\n");
  return failed ? 0 : 1;
}

// ---- making a failing scenario smaller

bool fails(uint64_t seed, const Reduction& reduction) {
  std::fflush(stdout);
  const pid_t pid = fork();
  if (pid == 0) {
    if (std::freopen("/dev/null", "w", stderr) == nullptr) _exit(0);
    Coverage coverage;
    run_one(seed, reduction, false, coverage);
    _exit(0);
  }
  int status = 0;
  waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) == found_status : WIFSIGNALED(status);
}

int shrink(const Options& options) {
  const uint64_t seed = options.from;
  Reduction best = options.reduction;
  if (!fails(seed, best)) {
    std::printf("seed %llu does not fail\n", static_cast<unsigned long long>(seed));
    return 1;
  }
  const auto attempt = [&](const Reduction& smaller) {
    if (!fails(seed, smaller)) return false;
    best = smaller;
    return true;
  };
  const auto without = [&](const std::function<void(Reduction&)>& change) {
    Reduction smaller = best;
    change(smaller);
    return attempt(smaller);
  };
  // What is thrown first: the less there is of it, the fewer clients it takes to fail.
  without([](Reduction& smaller) { smaller.no_restarts = true; });
  without([](Reduction& smaller) { smaller.no_drain = true; });
  for (uint8_t fault = 0; fault < fault_kinds; fault++) {
    if (make_scenario(seed, best).faults.per_mille[fault] == 0) continue;
    without([fault](Reduction& smaller) { smaller.without_faults.push_back(fault); });
  }
  // Fewer clients, in ever smaller portions, until none can be spared.
  std::vector<uint32_t> kept;
  for (const ClientPlan& client : make_scenario(seed, best).clients) kept.push_back(client.number);
  for (size_t portion = std::max<size_t>(kept.size() / 2, 1);;) {
    bool spared = false;
    for (size_t at = 0; at < kept.size() && kept.size() > 1;) {
      std::vector<uint32_t> fewer = kept;
      const size_t end = std::min(at + portion, fewer.size());
      fewer.erase(fewer.begin() + static_cast<long>(at), fewer.begin() + static_cast<long>(end));
      if (!fewer.empty() && without([&](Reduction& smaller) {
            smaller.clients = fewer;
            smaller.without_clients.clear();
          })) {
        kept = fewer;
        spared = true;
      } else {
        at = end;
      }
    }
    if (portion == 1 && !spared) break;
    if (!spared || portion > kept.size()) portion = std::max<size_t>(portion / 2, 1);
  }
  for (uint32_t count = 1; count <= 3; count++) {
    if (without([count](Reduction& smaller) { smaller.requests_max = count; })) break;
  }
  std::printf("%s\n\nreplay with: %s\n", make_scenario(seed, best).describe().c_str(),
              replay(seed, best).c_str());
  return 0;
}

}  // namespace

int main_of_sim(int argc, char** argv) {
  program = argv[0];
  // A run's memory is the next run's: asking the real kernel for it each time would cost more than the run.
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
  const Options options = parse(argc, argv);
  if (options.shrink) return shrink(options);
  if (options.describe) {
    std::printf("%s\n", make_scenario(options.from, options.reduction).describe().c_str());
    return 0;
  }
  if (!options.one) return run_many(options);
  Coverage coverage;
  const Summary summary = run_one(options.from, options.reduction, options.trace, coverage);
  std::printf(
      "seed %llu passed: %llu connections, %llu requests, %llu turns, %lld ms simulated\n",
      static_cast<unsigned long long>(options.from), static_cast<unsigned long long>(summary.connections),
      static_cast<unsigned long long>(summary.requests), static_cast<unsigned long long>(summary.turns),
      static_cast<long long>(summary.simulated_ns / ms));
  return 0;
}

}  // namespace breakwater::sim

int main(int argc, char** argv) {
  return breakwater::sim::main_of_sim(argc, argv);
}
