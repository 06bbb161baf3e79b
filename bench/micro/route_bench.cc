// What does it cost to know what a request is, and which server gets it?
#include <benchmark/benchmark.h>

#include "allocations.h"
#include "backends/affinity.h"
#include "backends/balancer.h"
#include "heads.h"
#include "wire/git_service.h"

using namespace breakwater;

namespace {

void classify(benchmark::State& state, std::string_view head) {
  wire::RequestHead request;
  if (wire::parse_request(head, {}, request) != wire::Fault::none)
    return state.SkipWithError("the head was refused");
  wire::GitRequest git;
  const Allocations allocations(state);
  for ([[maybe_unused]] auto _ : state) {
    wire::classify(request, git);
    benchmark::DoNotOptimize(git);
  }
}

void classify_upload_pack(benchmark::State& state) {
  classify(state, request_head);
}
BENCHMARK(classify_upload_pack);

void classify_info_refs(benchmark::State& state) {
  classify(state,
           "GET /team/app.git/info/refs?service=git-upload-pack HTTP/1.1\r\nHost: git.example.com\r\n"
           "Git-Protocol: version=2\r\n\r\n");
}
BENCHMARK(classify_info_refs);

void classify_a_page(benchmark::State& state) {
  classify(state, "GET /team/app/src/main/README.md?lang=en HTTP/1.1\r\nHost: git.example.com\r\n\r\n");
}
BENCHMARK(classify_a_page);

config::Pool pool_of_three(config::Balance balance) {
  config::Pool pool;
  pool.balance = balance;
  for (const char* const host : {"git1", "git2", "git3"}) pool.servers.push_back({.address = {host, 3000}});
  return pool;
}

// With what the pool's health costs: in flight, a good answer, its time to first byte.
void choose_server(benchmark::State& state, config::Balance balance) {
  const config::Pool pool = pool_of_three(balance);
  backends::PoolHealth health(pool);
  backends::Balancer balancer(health, 0, 1);
  std::string_view name = "team/app";
  benchmark::DoNotOptimize(name);
  int64_t now = 1'000'000'000;
  const Allocations allocations(state);
  for ([[maybe_unused]] auto _ : state) {
    now += 20'000;
    const uint64_t repository = backends::hash(name, true);
    const uint32_t server = balancer.pick({backends::Work::advertise, repository}, {}, now);
    health.begin(server);
    health.waited(server, backends::Work::advertise, 5'000'000, now);
    health.report(server, backends::Outcome::good, now);
    health.end(server);
  }
}
BENCHMARK_CAPTURE(choose_server, round_robin, config::Balance::round_robin);
BENCHMARK_CAPTURE(choose_server, least_connections, config::Balance::least_connections);
BENCHMARK_CAPTURE(choose_server, fastest, config::Balance::fastest);
BENCHMARK_CAPTURE(choose_server, repository, config::Balance::repository);

}  // namespace

BENCHMARK_MAIN();
