// What does it cost to read Git's own framing: a request, to know what will be answered, and an answer, to
// see its end? The second is asked of every pack that ends with its connection.
#include <benchmark/benchmark.h>

#include <string>

#include "allocations.h"
#include "wire/pkt_line.h"
#include "wire/upload_pack.h"

using namespace breakwater;

namespace {

const std::string want = "0032want 0123456789012345678901234567890123456789\n";

void set_bytes(benchmark::State& state, size_t bytes) {
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations()) * static_cast<int64_t>(bytes));
}

void walk(benchmark::State& state) {
  std::string bytes;
  for (int count = 0; count < 1000; count++) bytes += want;
  const Allocations allocations(state);
  for (auto _ : state) {
    std::string_view rest = bytes;
    while (!rest.empty()) rest.remove_prefix(wire::read_pkt_line(rest).bytes);
    benchmark::DoNotOptimize(rest);
  }
  set_bytes(state, bytes.size());
}
BENCHMARK(walk);

void read_request(benchmark::State& state) {
  std::string body = "0011command=fetch0001000eofs-delta\n";
  for (int64_t count = 0; count < state.range(0); count++) body += want;
  body += "0009done\n0000";
  if (!wire::read_upload_pack_request(2, false, body).pack_is_sure)
    return state.SkipWithError("the request was not understood");
  const Allocations allocations(state);
  for (auto _ : state) benchmark::DoNotOptimize(wire::read_upload_pack_request(2, false, body));
  set_bytes(state, body.size());
}
BENCHMARK(read_request)->Arg(1)->Arg(100);

// A MiB of pack, in packets as large as they can be, looked at in pieces of 64 KiB. Only the first few bytes
// of a packet are read, so it has no speed in bytes.
void look_at_a_pack(benchmark::State& state) {
  std::string answer = "000dpackfile\n";
  for (int count = 0; count < 16; count++) answer += "fff0\x01" + std::string(65515, 'p');
  answer += "0000";
  wire::UploadPackEnd end;
  const Allocations allocations(state);
  for (auto _ : state) {
    end.start(wire::UploadPackAnswer::v2);
    for (size_t at = 0; at < answer.size(); at += 65536) end.look(std::string_view(answer).substr(at, 65536));
    if (!end.proven()) return state.SkipWithError("the end was not seen");
  }
}
BENCHMARK(look_at_a_pack);

}  // namespace

BENCHMARK_MAIN();
