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

void walk(benchmark::State& state) {
  std::string bytes;
  for (int count = 0; count < 1000; count++) bytes += want;
  const Allocations allocations(state, bytes.size());
  for ([[maybe_unused]] auto _ : state) {
    std::string_view rest = bytes;
    while (!rest.empty()) rest.remove_prefix(wire::read_pkt_line(rest).bytes);
    benchmark::DoNotOptimize(rest);
  }
}
BENCHMARK(walk);

void read_request(benchmark::State& state) {
  std::string body = "0011command=fetch0001000eofs-delta\n";
  for (int64_t count = 0; count < state.range(0); count++) body += want;
  body += "0009done\n0000";
  if (!wire::read_upload_pack_request(2, false, body).pack_is_sure)
    return state.SkipWithError("the request was not understood");
  const Allocations allocations(state, body.size());
  for ([[maybe_unused]] auto _ : state)
    benchmark::DoNotOptimize(wire::read_upload_pack_request(2, false, body));
}
BENCHMARK(read_request)->Arg(1)->Arg(100);

// A MiB, in packets as large as they can be.
std::string a_pack() {
  std::string answer = "000dpackfile\n";
  for (int count = 0; count < 16; count++) answer += "fff0\x01" + std::string(65515, 'p');
  return answer + "0000";
}

// In pieces of 64 KiB. Only the first few bytes of a packet are read, so it has no speed in bytes.
void look_at_a_pack(benchmark::State& state) {
  const std::string answer = a_pack();
  wire::UploadPackEnd end;
  const Allocations allocations(state);
  for ([[maybe_unused]] auto _ : state) {
    end.start(wire::UploadPackAnswer::v2);
    for (size_t at = 0; at < answer.size(); at += 65536) end.look(std::string_view(answer).substr(at, 65536));
    if (!end.proven()) return state.SkipWithError("the end was not seen");
  }
}
BENCHMARK(look_at_a_pack);

// The same pack as it is spliced: eight bytes of each packet are looked at, the rest passes unseen.
void look_and_skip_a_pack(benchmark::State& state) {
  const std::string answer = a_pack();
  wire::UploadPackEnd end;
  const Allocations allocations(state);
  for ([[maybe_unused]] auto _ : state) {
    end.start(wire::UploadPackAnswer::v2);
    for (size_t at = 0; at < answer.size();) {
      const std::string_view seen = std::string_view(answer).substr(at, 8);
      end.look(seen);
      const uint64_t unseen = end.opaque();
      end.skip(unseen);
      at += seen.size() + static_cast<size_t>(unseen);
    }
    if (!end.proven()) return state.SkipWithError("the end was not seen");
  }
}
BENCHMARK(look_and_skip_a_pack);

}  // namespace

BENCHMARK_MAIN();
