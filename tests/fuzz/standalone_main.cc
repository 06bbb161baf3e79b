// Runs a fuzz target without libFuzzer, with any compiler: every file of a corpus folder, then mutations of
// them.
//
//   PROGRAM CORPUS_FOLDER [MUTATIONS]   as a test does: the same inputs each time
//   PROGRAM FILE ...                    only these: what was found once
//
// With BREAKWATER_FUZZ_SECONDS in the environment it goes on for so long, from another seed each time
// (BREAKWATER_FUZZ_SEED says which), keeps inputs that reach what none before them reached, which a build
// with -Dfuzz_coverage=true tells (-fsanitize-coverage=trace-pc), and says what it came to. What ends it
// badly is written to a file in BREAKWATER_FUZZ_FOUND, or in the working directory; inputs that it kept are
// written to BREAKWATER_FUZZ_KEEP, if that is set.
#include <fcntl.h>
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/common_interface_defs.h>
#endif

#include "base/rng.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

// ---- what the program reaches

namespace {

using breakwater::Rng;

constexpr size_t places_bits = 18;
constexpr size_t places = size_t{1} << places_bits;
// Of the input that runs: how often each place was reached, and which were.
uint8_t counts[places];
uint32_t reached[places];
size_t reached_count = 0;
bool counts_now = false;  // the target runs, and not what is around it

}  // namespace

// The compiler calls it at each basic block. A place is a hash of where it was called from, so two can be
// one.
extern "C" __attribute__((no_sanitize_coverage, no_sanitize("address", "undefined", "thread"))) void
__sanitizer_cov_trace_pc() {
  if (!counts_now) return;
  const auto from = reinterpret_cast<uintptr_t>(__builtin_return_address(0));
  const size_t place = (from * 0x9E3779B97F4A7C15u) >> (64 - places_bits);
  if (counts[place] == 0) reached[reached_count++] = static_cast<uint32_t>(place);
  if (counts[place] != 255) counts[place]++;
}

namespace {

// What all inputs together reached: a bit for each order of magnitude of times.
uint8_t seen[places];
size_t blocks = 0, features = 0;

// Of a count one of eight bits: 1, 2, 3, 4-7, 8-15, 16-31, 32-127, more.
uint8_t magnitude(uint8_t count) {
  if (count < 4) return static_cast<uint8_t>(1 << (count - 1));
  return count < 8 ? 8 : count < 16 ? 16 : count < 32 ? 32 : count < 128 ? 64 : 128;
}

// True if the input that ran reached something new.
bool take_note() {
  bool anything = false;
  for (size_t index = 0; index < reached_count; index++) {
    const uint32_t place = reached[index];
    const uint8_t bit = magnitude(counts[place]);
    counts[place] = 0;
    if (seen[place] & bit) continue;
    blocks += seen[place] == 0;
    seen[place] |= bit;
    features++;
    anything = true;
  }
  reached_count = 0;
  return anything;
}

// ---- an input that ends it badly

const std::string* current = nullptr;
char found_folder[3072] = ".";
volatile sig_atomic_t said = 0;
volatile uint64_t executions = 0;

void keep_input() {
  if (current == nullptr || said != 0) return;
  said = 1;
  uint64_t hash = 0xcbf29ce484222325u;
  for (const char byte : *current) hash = (hash ^ static_cast<uint8_t>(byte)) * 0x100000001b3u;
  char path[4096];
  std::snprintf(path, sizeof path, "%s/crash-%016llx", found_folder, static_cast<unsigned long long>(hash));
  const int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  const bool written = file >= 0 && write(file, current->data(), current->size()) >= 0;
  char line[8300];
  const int bytes = std::snprintf(line, sizeof line, "the input is in %s; replay: PROGRAM %s\n",
                                  written ? path : "no file, for that failed", path);
  const ssize_t ignored = write(STDERR_FILENO, line, static_cast<size_t>(bytes));
  (void)ignored;
}

void on_signal(int number) {
  keep_input();
  signal(number, SIG_DFL);
  raise(number);
}

// An input that takes this long is one that hangs.
constexpr long hang_seconds = 20;

void on_alarm(int) {
  static uint64_t at = UINT64_MAX;
  if (std::exchange(at, uint64_t{executions}) != executions || current == nullptr) return;
  static constexpr char text[] = "an input takes too long\n";
  const ssize_t ignored = write(STDERR_FILENO, text, sizeof text - 1);
  (void)ignored;
  keep_input();
  _exit(1);
}

void watch_for_the_end() {
  if (const char* const folder = std::getenv("BREAKWATER_FUZZ_FOUND"))
    std::snprintf(found_folder, sizeof found_folder, "%s", folder);
  signal(SIGABRT, on_signal);
#ifdef __SANITIZE_ADDRESS__
  __sanitizer_set_death_callback(keep_input);
#else
  signal(SIGSEGV, on_signal);
#endif
  signal(SIGALRM, on_alarm);
  const itimerval often{{hang_seconds, 0}, {hang_seconds, 0}};
  setitimer(ITIMER_REAL, &often, nullptr);
}

bool run(const std::string& input) {
  reached_count = 0;
  current = &input;
  counts_now = true;
  LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(input.data()), input.size());
  counts_now = false;
  current = nullptr;
  executions = executions + 1;
  return take_note();
}

// ---- mutations

std::string mutate(std::string input, const std::vector<std::string>& corpus, Rng& rng) {
  const uint64_t edits = 1 + rng.next() % 6;
  for (uint64_t edit = 0; edit < edits; edit++) {
    const size_t at = input.empty() ? 0 : rng.next() % input.size();
    static constexpr char interesting[] = "\r\n\0 :;,\t/?%_0fx+-\x7f\xff";
    switch (rng.next() % 6) {
      case 0:
        if (!input.empty()) input[at] = static_cast<char>(rng.next());
        break;
      case 1:
        input.insert(at, 1, interesting[rng.next() % (sizeof interesting - 1)]);
        break;
      case 2:
        if (!input.empty()) input.erase(at, 1 + rng.next() % 8);
        break;
      case 3:
        if (!input.empty()) input[at] = interesting[rng.next() % (sizeof interesting - 1)];
        break;
      case 4:
        input.insert(at, input.substr(at, rng.next() % 40));
        break;
      default: {
        const std::string& other = corpus[rng.next() % corpus.size()];
        if (!other.empty()) input.insert(at, other.substr(rng.next() % other.size(), rng.next() % 60));
      }
    }
  }
  return input;
}

// Besides, for a long search: larger pieces, and one bit.
std::string mutate_more(const std::string& input, const std::vector<std::string>& corpus, Rng& rng) {
  std::string changed = input;
  switch (rng.next() % 8) {
    case 0:  // the front of one and the back of another
      if (const std::string& other = corpus[rng.next() % corpus.size()]; !other.empty() && !input.empty())
        changed = input.substr(0, rng.next() % input.size()) + other.substr(rng.next() % other.size());
      break;
    case 1:
      if (!changed.empty()) changed.erase(rng.next() % changed.size(), 1 + rng.next() % changed.size());
      break;
    case 2:
      if (!changed.empty()) {
        const size_t at = rng.next() % changed.size();
        changed[at] = static_cast<char>(changed[at] ^ (1 << rng.next() % 8));
      }
      break;
    case 3:
      if (!changed.empty()) changed.resize(rng.next() % changed.size());
      break;
    default:
      return mutate(changed, corpus, rng);
  }
  return rng.next() % 2 == 0 ? changed : mutate(changed, corpus, rng);
}

std::string content_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// ---- a search

struct Search {
  std::string name;
  double seconds = 0;
  uint64_t seed = 0;
};

void search(const Search& how, std::vector<std::string> corpus) {
  using Clock = std::chrono::steady_clock;
  const auto begun = Clock::now();
  const auto passed = [&] { return std::chrono::duration<double>(Clock::now() - begun).count(); };
  const size_t at_first = corpus.size();
  size_t largest = 4096;
  for (const std::string& input : corpus) largest = std::max(largest, input.size());
  const size_t blocks_at_first = blocks;
  if (blocks_at_first == 0) {
    std::fprintf(stderr, "this build does not tell what an input reaches: it wants -Dfuzz_coverage=true\n");
    std::exit(1);
  }
  Rng rng(how.seed);
  uint64_t inputs = 0;
  while (passed() < how.seconds) {
    for (size_t count = 0; count < 64; count++, inputs++) {
      // The newer half of what was kept is tried as often as all of it.
      const size_t half = rng.next() % 2 == 0 ? corpus.size() / 2 : 0;
      std::string input = mutate_more(corpus[half + rng.next() % (corpus.size() - half)], corpus, rng);
      if (input.size() > largest) input.resize(largest);
      if (run(input)) corpus.push_back(std::move(input));
    }
  }
  const double seconds = passed();
  std::printf(
      "%s: %llu executions in %.0f s (%.0f/s), cov: %zu (%zu by the corpus) ft: %zu, corpus: %zu and %zu "
      "new, "
      "seed %llu\n",
      how.name.c_str(), static_cast<unsigned long long>(inputs), seconds,
      static_cast<double>(inputs) / seconds, blocks, blocks_at_first, features, at_first,
      corpus.size() - at_first, static_cast<unsigned long long>(how.seed));
  const char* const keep = std::getenv("BREAKWATER_FUZZ_KEEP");
  for (size_t index = at_first; keep != nullptr && index < corpus.size(); index++) {
    char file[32];
    std::snprintf(file, sizeof file, "kept-%06zu", index);
    std::ofstream(std::filesystem::path(keep) / file, std::ios::binary) << corpus[index];
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: %s CORPUS_FOLDER [MUTATIONS] | FILE ...\n", argv[0]);
    return 2;
  }
  watch_for_the_end();
  if (!std::filesystem::is_directory(argv[1])) {
    for (int index = 1; index < argc; index++) {
      if (!std::filesystem::is_regular_file(argv[index])) {
        std::fprintf(stderr, "there is no file %s\n", argv[index]);
        return 2;
      }
      run(content_of(argv[index]));
    }
    std::printf("%d inputs\n", argc - 1);
    return 0;
  }
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(argv[1])) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  std::vector<std::string> corpus;
  for (const auto& file : files) corpus.push_back(content_of(file));
  if (corpus.empty()) {
    std::fprintf(stderr, "the corpus %s is empty\n", argv[1]);
    return 1;
  }
  for (const std::string& input : corpus) run(input);
  if (const char* const seconds = std::getenv("BREAKWATER_FUZZ_SECONDS")) {
    const char* const seed = std::getenv("BREAKWATER_FUZZ_SEED");
    const auto now = static_cast<uint64_t>(std::chrono::system_clock::now().time_since_epoch().count());
    search({std::filesystem::path(argv[0]).filename(), std::strtod(seconds, nullptr),
            seed != nullptr ? std::strtoull(seed, nullptr, 10) : now},
           std::move(corpus));
    return 0;
  }
  Rng rng(20261123);
  const long mutations = argc > 2 ? std::strtol(argv[2], nullptr, 10) : 0;
  for (long count = 0; count < mutations; count++)
    run(mutate(corpus[rng.next() % corpus.size()], corpus, rng));
  std::printf("%zu inputs and %ld mutations of them\n", corpus.size(), mutations);
  return 0;
}
