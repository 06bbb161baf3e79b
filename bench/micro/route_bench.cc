// What does it cost to know what a request is, and which server gets it?
#include <benchmark/benchmark.h>

#include "allocations.h"
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
  for (auto _ : state) {
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

void choose_server(benchmark::State& state) {
  backends::RoundRobin balancer(3, 0);
  backends::Affinity affinity;
  std::string_view repository = "team/app";
  benchmark::DoNotOptimize(repository);
  const Allocations allocations(state);
  for (auto _ : state) {
    uint32_t server = affinity.server_for(repository);
    if (server == backends::Affinity::none) server = balancer.pick();
    affinity.remember(repository, server);
    benchmark::DoNotOptimize(server);
  }
}
BENCHMARK(choose_server);

}  // namespace

BENCHMARK_MAIN();
