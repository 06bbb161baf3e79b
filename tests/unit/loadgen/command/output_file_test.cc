// A file of results: opened first, written at the end, and gone if nothing came of it.
#include "command/output_file.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>

using namespace breakwater::storm;

namespace {

namespace fs = std::filesystem;

// Until the end of the test.
struct Folder {
  Folder() {
    char name[] = "/tmp/stormgen-test-XXXXXX";
    REQUIRE(mkdtemp(name) != nullptr);
    path = name;
  }
  ~Folder() { fs::remove_all(path); }
  std::string operator/(const char* name) const { return path + "/" + name; }
  std::string path;
};

std::string text_in(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_CASE(
    "output file: a new one in which nothing was written goes, and one that was there stays as it was") {
  const Folder folder;
  std::ofstream(folder / "old") << "an old report";
  {
    const std::expected<OutputFile, std::string> made = OutputFile::open(folder / "new");
    const std::expected<OutputFile, std::string> old = OutputFile::open(folder / "old");
    REQUIRE(made);
    REQUIRE(old);
    CHECK(fs::exists(folder / "new"));
  }
  CHECK_FALSE(fs::exists(folder / "new"));
  CHECK(text_in(folder / "old") == "an old report");
}

TEST_CASE("output file: what is written is all that is there, also where more was") {
  const Folder folder;
  std::ofstream(folder / "old") << "an old report";
  for (const char* const name : {"new", "old"}) {
    {
      std::expected<OutputFile, std::string> opened = OutputFile::open(folder / name);
      REQUIRE(opened);
      OutputFile file(std::move(*opened));
      CHECK(file.write("short") == "");
    }
    CHECK(text_in(folder / name) == "short");
  }
}

TEST_CASE("output file: what can't be written is said with its reason") {
  const Folder folder;
  CHECK(OutputFile::open(folder.path).error() == folder.path + " can't be written: Is a directory");
  CHECK(OutputFile::open(folder / "no/file").error() ==
        (folder / "no/file") + " can't be written: No such file or directory");
  std::expected<OutputFile, std::string> full = OutputFile::open("/dev/full");
  REQUIRE(full);
  CHECK(full->write("a report") == "/dev/full can't be written: No space left on device");
}
