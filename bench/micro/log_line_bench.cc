// What does a line of the access log cost the core that writes it? (The file is another thread's work.)
#include <benchmark/benchmark.h>

#include <array>

#include "allocations.h"
#include "core/log_ring.h"
#include "proxy/access_log.h"

using namespace breakwater;

namespace {

proxy::AccessRecord record() {
  proxy::AccessRecord record;
  record.time_ns = 1'795'000'000'123'456'789;
  record.request_id = "0123456789abcdef";
  record.client = "192.0.2.7:51234";
  record.listener = "git";
  record.method = "POST";
  record.host = "git.example.com";
  record.path = "/team/app.git/git-upload-pack";
  record.git = "upload-pack";
  record.git_protocol = 2;
  record.repository = "team/app";
  record.user_agent = "git/2.39.5";
  record.pool = "gogs";
  record.server = "10.0.0.11:3000";
  record.status = 200;
  record.bytes_in = 173;
  record.bytes_out = 104'857'600;
  record.total_ns = 412'345'678;
  record.attempts = 1;
  record.ended_by = "done";
  record.phase = "done";
  return record;
}

void format(benchmark::State& state) {
  const proxy::AccessRecord line = record();
  std::array<char, proxy::access_line_bytes_max> out;
  const Allocations allocations(state);
  for ([[maybe_unused]] auto _ : state) benchmark::DoNotOptimize(proxy::format_access_line(line, out));
}
BENCHMARK(format);

// With the hand-over to the log's thread, which drains now and then.
void format_and_hand_over(benchmark::State& state) {
  const proxy::AccessRecord line = record();
  std::array<char, proxy::access_line_bytes_max> out;
  LogRing log(1024 * 1024);
  const Allocations allocations(state);
  for ([[maybe_unused]] auto _ : state) {
    const size_t bytes = proxy::format_access_line(line, out);
    if (!log.push({out.data(), bytes})) log.drain([](const char*, size_t) {});
  }
}
BENCHMARK(format_and_hand_over);

}  // namespace

BENCHMARK_MAIN();
