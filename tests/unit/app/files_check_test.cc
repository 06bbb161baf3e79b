// What `check` finds wrong beside the text of a file.
#include "app/files_check.h"

#include <doctest/doctest.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "app/sandbox.h"

using namespace breakwater;
using namespace breakwater::app;

namespace {

// A folder for as long as it lives.
class Folder {
 public:
  Folder() { REQUIRE(mkdtemp(path_.data()) != nullptr); }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string of(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_ = "/tmp/breakwater-test-XXXXXX";
};

// With a sandbox this program could not look at the next one without it.
config::Config without_sandbox() {
  config::Config config;
  config.sandbox = false;
  return config;
}

std::string only_fault(const config::Config& config) {
  const std::vector<std::string> faults = faults_of_files(config);
  return faults.size() == 1 ? faults.front() : std::to_string(faults.size()) + " faults";
}

}  // namespace

TEST_CASE("files: certificates that no start could use were called ok") {
  const Folder folder;
  config::Config config = without_sandbox();
  config.listens.push_back({.name = "git", .tls = {.certificates = folder.of("none")}});
  CHECK(only_fault(config) ==
        "[listen.git] can't speak TLS:\n  " + folder.of("none") + ": " + strerror(ENOENT));
  std::filesystem::create_directory(folder.of("none"));
  CHECK(only_fault(config).find("there is no certificate in it") != std::string::npos);
  config.listens.clear();
  config.pools.push_back({.name = "gogs"});
  config.pools[0].tls.on = true;
  config.pools[0].tls.ca = folder.of("ca.pem");
  CHECK(only_fault(config) ==
        "[pool.gogs] can't speak TLS:\n  " + folder.of("ca.pem") + ": " + strerror(ENOENT));
  config.pools[0].tls = {};
  config.pools[0].sticky.cookie = "id";
  CHECK(faults_of_files(config).empty());
  config.pools[0].sticky.key_file = folder.of("key");
  CHECK(only_fault(config).starts_with("the key of sticky cookies in "));
}

TEST_CASE("files: folders that are missing for what is written were called ok") {
  const Folder folder;
  config::Config config = without_sandbox();
  config.log = {config::Log::Target::file, folder.of("access.log")};
  config.pid_file = folder.of("pid");
  config.admin_enabled = true;
  config.admin.path = folder.of("admin.sock");
  CHECK(faults_of_files(config).empty());
  CHECK_FALSE(std::filesystem::exists(config.log.path));
  config.log.path = "access.log";  // where we are
  CHECK(faults_of_files(config).empty());
  config.pid_file = folder.of("none/pid");
  CHECK(only_fault(config) ==
        "there is no folder " + folder.of("none") + " for `pid_file` in [process]: make it");
  config.pid_file = folder.of(std::string(300, 'x') + "/pid");
  CHECK(only_fault(config) ==
        "the folder " + folder.of(std::string(300, 'x')) +
            " for `pid_file` in [process] can't be looked at: " + strerror(ENAMETOOLONG));
  std::ofstream(folder.of("file")) << "x";
  config.pid_file = folder.of("file/pid");
  CHECK(only_fault(config).starts_with("there is no folder " + folder.of("file") + " for "));
  config.pid_file = folder.of("none/pid");
  config.admin.path = folder.of("none/admin.sock");
  config.log.path = folder.of("");
  CHECK(faults_of_files(config).size() == 3);
  CHECK(faults_of_files(config)[0] == "`path` in [log] is a folder: " + folder.of(""));
}

TEST_CASE("files: root that was denied one was not told that it has no privileges any more") {
  const std::string denied = std::string("/x: ") + strerror(EACCES);
  CHECK(hint_for_root(true, denied).empty() == (geteuid() != 0));
  CHECK(hint_for_root(false, denied).empty());
  CHECK(hint_for_root(true, std::string("/x: ") + strerror(ENOENT)).empty());
}
