// What does it cost to lease what a request needs, and to give it back: a server connection, buffers, a pipe?
#include <benchmark/benchmark.h>

#include "allocations.h"
#include "coro/scope.h"
#include "proxy/upstream.h"
#include "ring/sys.h"
#include "world.h"

using namespace breakwater;

namespace {

Task<void> connect(proxy::UpstreamPool& pool, proxy::UpstreamLease& lease) {
  Result<proxy::UpstreamLease> connected = co_await pool.connect();
  if (connected) lease = std::move(*connected);
}

void nothing(void*) {}

// Takes an idle connection and keeps it again. Its receive is with the kernel already; only if that is so for
// a whole turn of the core does the connection need no look.
void server_connection(benchmark::State& state, bool known_for_a_turn) {
  World world;
  if (world.core == nullptr) return state.SkipWithError(world.why.c_str());
  Address address;
  address.bytes = sizeof address.v4;
  address.v4.sin_family = AF_INET;
  address.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int listener = sys::listen_on(address, 1, true);
  const proxy::Server server("server", address);
  const config::Config config;
  proxy::UpstreamPool pool(*world.core, config.timeouts, config.limits.servers_idle, server, nullptr);
  Scope scope;
  proxy::UpstreamLease lease;
  scope.spawn(connect(pool, lease));
  while (!scope.empty()) world.core->turn();
  if (!lease) return state.SkipWithError("the server could not be reached");
  lease.finish(proxy::UpstreamLease::Ending::reusable);
  world.core->ring().wait(0);
  world.core->ring().dispatch();
  Deferred no_sleep(nothing, nullptr);
  if (known_for_a_turn) {
    world.core->defer(no_sleep);
    world.core->turn();
  }
  const uint64_t calls = thread_counts.system_calls;
  {
    proxy::UpstreamLease first = pool.take_idle();
    first.finish(proxy::UpstreamLease::Ending::reusable);
  }
  if ((thread_counts.system_calls == calls) != known_for_a_turn)
    state.SkipWithError("this measures the other way");
  const Allocations allocations(state);
  for ([[maybe_unused]] auto _ : state) {
    proxy::UpstreamLease again = pool.take_idle();
    again.finish(proxy::UpstreamLease::Ending::reusable);
  }
  pool.close();
  world.core->stop();
  world.core->run();
  sys::close(listener);
}
BENCHMARK_CAPTURE(server_connection, known, true);
BENCHMARK_CAPTURE(server_connection, looked_at, false);

void received_buffer(benchmark::State& state) {
  World world;
  if (world.core == nullptr) return state.SkipWithError(world.why.c_str());
  const Allocations allocations(state);
  for ([[maybe_unused]] auto _ : state)
    benchmark::DoNotOptimize(world.core->head_buffers().take_picked(0).data());
}
BENCHMARK(received_buffer);

void room_for_a_head(benchmark::State& state) {
  World world;
  if (world.core == nullptr) return state.SkipWithError(world.why.c_str());
  const Allocations allocations(state);
  for ([[maybe_unused]] auto _ : state)
    benchmark::DoNotOptimize(world.core->head_room().acquire().span().data());
}
BENCHMARK(room_for_a_head);

void pipe(benchmark::State& state) {
  World world;
  if (world.core == nullptr) return state.SkipWithError(world.why.c_str());
  {
    const Pipe first = world.core->pipes().acquire();
  }
  const Allocations allocations(state);
  for ([[maybe_unused]] auto _ : state) benchmark::DoNotOptimize(world.core->pipes().acquire().write_end());
}
BENCHMARK(pipe);

}  // namespace

BENCHMARK_MAIN();
