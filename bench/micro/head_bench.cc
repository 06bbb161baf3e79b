// What do the heads of one request cost, from the first byte received to the last one written? Two come in
// and two go out, so this is most of what a small request costs in our own code.
#include <benchmark/benchmark.h>

#include <array>

#include "allocations.h"
#include "heads.h"
#include "proxy/head_rewrite.h"
#include "wire/http_head.h"

using namespace breakwater;

namespace {

void scan(benchmark::State& state) {
  const Allocations allocations(state);
  for ([[maybe_unused]] auto _ : state) {
    wire::HeadScanner scanner({});
    benchmark::DoNotOptimize(scanner.scan(request_head));
  }
}
BENCHMARK(scan);

void parse_request(benchmark::State& state) {
  wire::RequestHead request;
  const Allocations allocations(state);
  for ([[maybe_unused]] auto _ : state)
    benchmark::DoNotOptimize(wire::parse_request(request_head, {}, request));
}
BENCHMARK(parse_request);

void parse_response(benchmark::State& state) {
  wire::ResponseHead response;
  const Allocations allocations(state);
  for ([[maybe_unused]] auto _ : state)
    benchmark::DoNotOptimize(wire::parse_response(response_head, {}, wire::Method::post, response));
}
BENCHMARK(parse_response);

void write_upstream(benchmark::State& state) {
  wire::RequestHead request;
  if (wire::parse_request(request_head, {}, request) != wire::Fault::none)
    return state.SkipWithError("the head was refused");
  const proxy::UpstreamFacts facts{.client_address = "192.0.2.7",
                                   .scheme = "http",
                                   .request_id = "0123456789abcdef",
                                   .server_authority = "a:1"};
  std::array<char, 4096> out;
  const Allocations allocations(state);
  for ([[maybe_unused]] auto _ : state)
    benchmark::DoNotOptimize(proxy::write_upstream_head(request, facts, out));
}
BENCHMARK(write_upstream);

void write_downstream(benchmark::State& state) {
  wire::ResponseHead response;
  if (wire::parse_response(response_head, {}, wire::Method::post, response) != wire::Fault::none)
    return state.SkipWithError("the head was refused");
  const proxy::DownstreamFacts facts{.framing = {wire::BodyKind::chunked, 0},
                                     .request_method = wire::Method::post};
  std::array<char, 4096> out;
  const Allocations allocations(state);
  for ([[maybe_unused]] auto _ : state)
    benchmark::DoNotOptimize(proxy::write_downstream_head(response, facts, out));
}
BENCHMARK(write_downstream);

}  // namespace

BENCHMARK_MAIN();
