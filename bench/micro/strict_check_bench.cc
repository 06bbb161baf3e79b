// What can a hostile client make us spend on a head, and what is our check of it beside llhttp's? Both are
// linear: whatever a head holds, a byte may cost a few times as much, but never more the longer the head is.
#include <benchmark/benchmark.h>

#include <string>

#include "allocations.h"
#include "wire/http_head.h"

using namespace breakwater;

namespace {

// Scanned as it arrives, `piece` bytes at a time, and then parsed.
void check(benchmark::State& state, const std::string& head, size_t piece) {
  const Allocations allocations(state, head.size());
  wire::RequestHead request;
  for ([[maybe_unused]] auto _ : state) {
    wire::HeadScanner scanner({});
    wire::HeadScanner::State seen = wire::HeadScanner::State::incomplete;
    for (size_t end = piece; seen == wire::HeadScanner::State::incomplete; end += piece)
      seen = scanner.scan(std::string_view(head).substr(0, end));
    if (seen == wire::HeadScanner::State::complete)
      benchmark::DoNotOptimize(wire::parse_request(head, {}, request));
  }
}

std::string head_of(size_t fields, const std::string& value, const std::string& last = "") {
  std::string head = "GET / HTTP/1.1\r\nHost: a\r\n";
  for (size_t number = 0; number < fields; number++)
    head += "X-Field-" + std::to_string(number) + ": " + value + "\r\n";
  return head + last + "\r\n";
}

void many_fields(benchmark::State& state) {
  check(state, head_of(static_cast<size_t>(state.range(0)), std::string(100, 'v')), 1 << 20);
}
BENCHMARK(many_fields)->Arg(15)->Arg(120);

void one_long_field(benchmark::State& state) {
  check(state, head_of(1, std::string(15'000, 'v')), 1 << 20);
}
BENCHMARK(one_long_field);

void a_byte_at_a_time(benchmark::State& state) {
  check(state, head_of(static_cast<size_t>(state.range(0)), std::string(100, 'v')), 1);
}
BENCHMARK(a_byte_at_a_time)->Arg(15)->Arg(120);

// By our check, when it has been through everything: what is missing to `many_fields` is llhttp.
void refused_by_its_last_line(benchmark::State& state) {
  check(state, head_of(120, std::string(100, 'v'), "Content-Length: 1\r\nContent-Length: 2\r\n"), 1 << 20);
}
BENCHMARK(refused_by_its_last_line);

void tabs_in_every_value(benchmark::State& state) {
  check(state, head_of(120, "v\t" + std::string(98, 'v')), 1 << 20);
}
BENCHMARK(tabs_in_every_value);

}  // namespace

BENCHMARK_MAIN();
