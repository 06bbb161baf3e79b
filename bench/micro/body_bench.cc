// What does a body's framing cost, for 128 KiB of it? walk() is for bodies that are copied, vet() for those
// whose chunks pass as they came; in between, lines are walked and payload is skipped. Chunks as Apache (8000
// bytes), Go (4096) and large ones.
#include <benchmark/benchmark.h>

#include <array>
#include <span>
#include <string>

#include "allocations.h"
#include "wire/http_body.h"

using namespace breakwater;

namespace {

constexpr size_t buffer_bytes = 128 * 1024;

std::string in_chunks_of(size_t chunk) {
  std::string bytes;
  std::array<char, wire::chunk_header_bytes_max> line;
  do {
    bytes.append(line.data(), wire::write_chunk_header(chunk, line));
    bytes.append(chunk, 'x');
    bytes += "\r\n";
  } while (bytes.size() + chunk + 20 < buffer_bytes);
  return bytes;
}

void walk_chunks(benchmark::State& state) {
  std::string bytes = in_chunks_of(static_cast<size_t>(state.range(0)));
  wire::BodyReader reader;
  wire::Pieces pieces;
  const Allocations allocations(state);
  for ([[maybe_unused]] auto _ : state) {
    reader.start({wire::BodyKind::chunked, 0});
    pieces.clear();
    benchmark::DoNotOptimize(reader.walk(bytes, pieces));
  }
}
BENCHMARK(walk_chunks)->Arg(4096)->Arg(8000)->Arg(65000);

void vet_chunks(benchmark::State& state) {
  const std::string bytes = in_chunks_of(static_cast<size_t>(state.range(0)));
  wire::BodyReader reader;
  const Allocations allocations(state);
  for ([[maybe_unused]] auto _ : state) {
    reader.start({wire::BodyKind::chunked, 0});
    benchmark::DoNotOptimize(reader.vet(bytes));
  }
}
BENCHMARK(vet_chunks)->Arg(4096)->Arg(8000)->Arg(65000);

// As uploads are spliced: nothing but the lines is read.
void walk_lines_skip_payload(benchmark::State& state) {
  std::string bytes = in_chunks_of(static_cast<size_t>(state.range(0)));
  wire::BodyReader reader;
  wire::Pieces pieces;
  const Allocations allocations(state);
  for ([[maybe_unused]] auto _ : state) {
    reader.start({wire::BodyKind::chunked, 0});
    pieces.clear();
    std::span<char> rest = bytes;
    while (const size_t line = wire::large_chunk_line({rest.data(), rest.size()})) {
      reader.walk(rest.first(line), pieces);
      const size_t payload = static_cast<size_t>(reader.opaque());
      reader.skip(payload);
      rest = rest.subspan(line + payload);
    }
    if (rest.size() != 2) return state.SkipWithError("a line was not seen");
  }
}
BENCHMARK(walk_lines_skip_payload)->Arg(4096)->Arg(8000)->Arg(65000);

void walk_a_known_length(benchmark::State& state) {
  std::string bytes(buffer_bytes, 'x');
  wire::BodyReader reader;
  wire::Pieces pieces;
  const Allocations allocations(state);
  for ([[maybe_unused]] auto _ : state) {
    reader.start({wire::BodyKind::length, buffer_bytes});
    pieces.clear();
    benchmark::DoNotOptimize(reader.walk(bytes, pieces));
  }
}
BENCHMARK(walk_a_known_length);

}  // namespace

BENCHMARK_MAIN();
