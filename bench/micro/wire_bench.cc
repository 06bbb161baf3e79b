// What does the protocol work of one request cost, without any I/O? A proxy's kernel share is fixed; this is
// what is ours to win or lose. Method: Google Benchmark, one thread, the same bytes over and over. If
// checking and parsing a head took more than about a microsecond, the order "our check, then llhttp" would
// have to be thought over.
#include <benchmark/benchmark.h>

#include <array>
#include <string>

#include "proxy/head_rewrite.h"
#include "wire/git_service.h"
#include "wire/http_body.h"
#include "wire/http_head.h"
#include "wire/pkt_line.h"

using namespace breakwater;

namespace {

const std::string head =
    "POST /team/app.git/git-upload-pack HTTP/1.1\r\nHost: git.example.com\r\nUser-Agent: git/2.39.5\r\n"
    "Accept-Encoding: deflate, gzip, br, zstd\r\nContent-Type: application/x-git-upload-pack-request\r\n"
    "Accept: application/x-git-upload-pack-result\r\nGit-Protocol: version=2\r\nContent-Length: 173\r\n\r\n";

void scan_head(benchmark::State& state) {
  for (auto _ : state) {
    wire::HeadScanner scanner({});
    benchmark::DoNotOptimize(scanner.scan(head));
  }
}
BENCHMARK(scan_head);

void parse_head(benchmark::State& state) {
  for (auto _ : state) {
    wire::RequestHead request;
    benchmark::DoNotOptimize(wire::parse_request(head, {}, request));
  }
}
BENCHMARK(parse_head);

void rewrite_head(benchmark::State& state) {
  wire::RequestHead request;
  if (wire::parse_request(head, {}, request) != wire::Fault::none)
    return state.SkipWithError("the head was refused");
  std::array<char, 4096> out;
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        proxy::write_upstream_head(request, {"192.0.2.7", "http", "0123456789abcdef", "a:1", false}, out));
  }
}
BENCHMARK(rewrite_head);

void classify(benchmark::State& state) {
  wire::RequestHead request;
  if (wire::parse_request(head, {}, request) != wire::Fault::none)
    return state.SkipWithError("the head was refused");
  for (auto _ : state) {
    wire::GitRequest git;
    wire::classify(request, git);
    benchmark::DoNotOptimize(git);
  }
}
BENCHMARK(classify);

// A bulk buffer of chunks as Apache (8000 bytes) and nginx (4096) send them.
void walk_chunks(benchmark::State& state) {
  const size_t chunk = static_cast<size_t>(state.range(0));
  std::string bytes;
  std::array<char, wire::chunk_header_bytes_max> line;
  while (bytes.size() + chunk + 20 < 128 * 1024) {
    bytes.append(line.data(), wire::write_chunk_header(chunk, line));
    bytes.append(chunk, 'x');
    bytes += "\r\n";
  }
  for (auto _ : state) {
    wire::BodyReader reader;
    reader.start({wire::BodyKind::chunked, 0});
    wire::Pieces pieces;
    benchmark::DoNotOptimize(reader.walk(bytes, pieces));
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations()) * static_cast<int64_t>(bytes.size()));
}
BENCHMARK(walk_chunks)->Arg(4096)->Arg(8000)->Arg(32768);

void walk_pkt_lines(benchmark::State& state) {
  std::string bytes;
  for (int count = 0; count < 1000; count++) bytes += "0032want 0123456789012345678901234567890123456789\n";
  for (auto _ : state) {
    std::string_view rest = bytes;
    while (!rest.empty()) rest.remove_prefix(wire::read_pkt_line(rest).bytes);
    benchmark::DoNotOptimize(rest);
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()) * 1000);
}
BENCHMARK(walk_pkt_lines);

}  // namespace

BENCHMARK_MAIN();
