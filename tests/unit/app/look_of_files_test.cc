// What files look like: the same for the same files, and different after whatever could change their content.
#include "app/look_of_files.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

using breakwater::app::look_of;
namespace fs = std::filesystem;

namespace {

class Folder {
 public:
  Folder() { REQUIRE(mkdtemp(path_.data()) != nullptr); }
  ~Folder() { fs::remove_all(path_); }
  std::string at(const std::string& name) const { return path_ + "/" + name; }
  void write(const std::string& name, const std::string& content) const {
    std::ofstream(at(name), std::ios::trunc) << content;
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_ = "/tmp/look_of_files.XXXXXX";
};

}  // namespace

TEST_CASE("a look is the same as long as nothing happens, and tells a file that comes or goes") {
  const Folder folder;
  const auto look = [&folder] { return look_of(folder.path(), {folder.at("ca.pem"), ""}); };
  const std::string empty = look();
  CHECK(empty == look());
  folder.write("ca.pem", "one");
  const std::string one = look();
  CHECK(one != empty);
  CHECK(one == look());
  folder.write("two.pem", "two");
  CHECK(one != look());
  fs::remove(folder.at("two.pem"));
  CHECK(one == look());
  fs::remove(folder.at("ca.pem"));
  CHECK(empty == look());
}

TEST_CASE("a look tells a file that was replaced by one of the same size, and one that grew") {
  const Folder folder;
  folder.write("a", "one");
  const std::string before = look_of("", {folder.at("a")});
  folder.write("b", "two");
  fs::rename(folder.at("b"), folder.at("a"));
  const std::string replaced = look_of("", {folder.at("a")});
  CHECK(replaced != before);
  folder.write("a", "three");
  CHECK(look_of("", {folder.at("a")}) != replaced);
}

TEST_CASE("a look follows links: one above the file that leads elsewhere now counts") {
  const Folder folder;
  for (const char* const version : {"v1", "v2"}) {
    fs::create_directory(folder.at(version));
    folder.write(std::string(version) + "/ca.pem", "same");
  }
  fs::create_symlink("v1", folder.at("..data"));
  fs::create_symlink("..data/ca.pem", folder.at("ca.pem"));
  const std::string before = look_of("", {folder.at("ca.pem")});
  fs::create_symlink("v2", folder.at("..new"));
  fs::rename(folder.at("..new"), folder.at("..data"));
  CHECK(look_of("", {folder.at("ca.pem")}) != before);
}
