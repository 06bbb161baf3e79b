// What does it cost a load generator to check a pack as it streams, and how much of that is the hash? And to
// go through an advertisement of a thousand refs? A pack of 4 MiB in pkt-lines as large as they can be,
// received in pieces of so many bytes.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <string>

#include "allocations.h"
#include "git/advertisement.h"
#include "git/digest.h"
#include "git/fetch_answer.h"
#include "git/pack_check.h"

using namespace breakwater;
using namespace breakwater::storm;

namespace {

constexpr size_t pack_bytes = 4 << 20;
constexpr size_t line_bytes = 65515;

std::string a_pack(HashKind kind) {
  std::string pack("PACK\0\0\0\2\0\0\0\1", 12);
  while (pack.size() < pack_bytes) pack += static_cast<char>(pack.size() * 7 >> 3);
  Digest digest(kind);
  digest.add(pack);
  const ObjectId hash = digest.finish();
  return pack.append(reinterpret_cast<const char*>(hash.raw.data()), hash.size());
}

std::string answer_with(std::string_view pack) {
  std::string answer = "000dpackfile\n";
  for (; !pack.empty(); pack.remove_prefix(std::min(pack.size(), line_bytes))) {
    const std::string_view part = pack.substr(0, line_bytes);
    static constexpr char digits[] = "0123456789abcdef";
    for (int shift = 12; shift >= 0; shift -= 4) answer += digits[(part.size() + 5) >> shift & 15];
    answer += '\1';
    answer += part;
  }
  return answer + "0000";
}

void read_answer(benchmark::State& state, HashKind kind) {
  const std::string answer = answer_with(a_pack(kind));
  const size_t piece = static_cast<size_t>(state.range(0));
  const Allocations allocations(state, answer.size());
  for ([[maybe_unused]] auto _ : state) {
    PackCheck check(kind);
    FetchAnswerReader reader({}, check);
    for (std::string_view rest = answer; !rest.empty(); rest.remove_prefix(std::min(piece, rest.size())))
      reader.take(rest.substr(0, piece));
    reader.end();
    if (reader.complaint()) return state.SkipWithError("the pack was not found sound");
  }
}
void check_a_pack(benchmark::State& state) {
  read_answer(state, HashKind::sha1);
}
void check_a_pack_of_sha256(benchmark::State& state) {
  read_answer(state, HashKind::sha256);
}
BENCHMARK(check_a_pack)->Arg(131072)->Arg(16384)->Arg(1448);
BENCHMARK(check_a_pack_of_sha256)->Arg(131072);

// The same bytes, and nothing but their hash.
void hash_alone(benchmark::State& state) {
  const std::string pack = a_pack(HashKind::sha1);
  const Allocations allocations(state, pack.size());
  for ([[maybe_unused]] auto _ : state) {
    Digest digest;
    digest.add(pack);
    benchmark::DoNotOptimize(digest.finish());
  }
}
BENCHMARK(hash_alone);

void read_refs(benchmark::State& state) {
  std::string advertisement = "001e# service=git-upload-pack\n0000";
  for (int count = 1000; count < 2000; ++count)
    advertisement +=
        "0043b5a053622cffb110ac8fb6e02bcc36bc357df52d refs/heads/topic-" + std::to_string(count) + "\n";
  advertisement += "0000";
  const Allocations allocations(state, advertisement.size());
  for ([[maybe_unused]] auto _ : state) {
    uint64_t letters = 0;
    AdvertisementReader reader(
        [](void* context, const Ref& ref) { *static_cast<uint64_t*>(context) += ref.name.size(); }, &letters);
    reader.take(advertisement);
    reader.end();
    if (!reader.is_complete() || reader.refs() != 1000) return state.SkipWithError("the refs were not read");
    benchmark::DoNotOptimize(letters);
  }
}
BENCHMARK(read_refs);

}  // namespace

BENCHMARK_MAIN();
