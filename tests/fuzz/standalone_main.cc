// Runs a fuzz target without libFuzzer: every file of a corpus folder, then seeded mutations of them, so that
// each target is a test with every compiler. Usage: PROGRAM CORPUS_FOLDER MUTATIONS
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "base/rng.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

void run(const std::string& input) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(input.data()), input.size());
}

std::string mutate(std::string input, const std::vector<std::string>& corpus, breakwater::Rng& rng) {
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

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: %s CORPUS_FOLDER MUTATIONS\n", argv[0]);
    return 2;
  }
  std::vector<std::string> corpus;
  for (const auto& entry : std::filesystem::directory_iterator(argv[1])) {
    std::ifstream file(entry.path(), std::ios::binary);
    corpus.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  if (corpus.empty()) {
    std::fprintf(stderr, "the corpus %s is empty\n", argv[1]);
    return 1;
  }
  for (const std::string& input : corpus) run(input);
  breakwater::Rng rng(20261123);
  const long mutations = std::strtol(argv[2], nullptr, 10);
  for (long count = 0; count < mutations; count++)
    run(mutate(corpus[rng.next() % corpus.size()], corpus, rng));
  std::printf("%zu inputs and %ld mutations of them\n", corpus.size(), mutations);
  return 0;
}
