// The command line contract.
#include "app/command_line.h"

#include <doctest/doctest.h>
#include <stdlib.h>
#include <unistd.h>

#include <string>
#include <vector>

using namespace breakwater::app;
using Command = CommandLine::Command;

namespace {

CommandLine parse(std::vector<const char*> words) {
  words.insert(words.begin(), "breakwater");
  return parse_command_line(static_cast<int>(words.size()), words.data(),
                            [] { return std::string("version text\n"); });
}

// A file for as long as it lives.
class FileOf {
 public:
  explicit FileOf(const std::string& text) {
    const int fd = mkstemp(path_.data());
    REQUIRE(fd >= 0);
    CHECK(write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
    close(fd);
  }
  ~FileOf() { unlink(path_.c_str()); }
  FileOf(const FileOf&) = delete;
  FileOf& operator=(const FileOf&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_ = "/tmp/breakwater-test-XXXXXX";
};

}  // namespace

TEST_CASE("run with addresses") {
  const CommandLine line =
      parse({"run", "--listen", "127.0.0.1:8080", "--backend", "a:1", "--backend", "b:2", "--cores", "1",
             "--admin", "127.0.0.1:0", "--log", "off", "--pid-file", "/p"});
  REQUIRE_MESSAGE(line.command == Command::run, line.text);
  CHECK(line.config.listens[0].bind.text() == "127.0.0.1:8080");
  CHECK(line.config.pools[0].servers.size() == 2);
  CHECK(line.config.cores == 1);
  CHECK(line.config.admin_enabled);
  CHECK(line.config.log.target == breakwater::config::Log::Target::off);
  CHECK(line.config.pid_file == "/p");
  CHECK(line.config.sandbox);
  CHECK_FALSE(parse({"run", "--listen", ":1", "--backend", "a:1", "--no-sandbox"}).config.sandbox);
}

TEST_CASE("run with a unix socket, and words behind a server") {
  const CommandLine line = parse(
      {"run", "--listen", ":1", "--backend", "unix:/run/gogs.sock", "--backend", "b:2 weight=50 backup"});
  REQUIRE_MESSAGE(line.command == Command::run, line.text);
  CHECK(line.config.pools[0].servers[0].address.text() == "unix:/run/gogs.sock");
  CHECK(line.config.pools[0].servers[1].weight == 50);
  CHECK(line.config.pools[0].servers[1].backup);
}

TEST_CASE("run with its admin listener on a unix socket") {
  const CommandLine line =
      parse({"run", "--listen", ":1", "--backend", "a:1", "--admin", "unix:/run/breakwater.sock"});
  REQUIRE_MESSAGE(line.command == Command::run, line.text);
  CHECK(line.config.admin.path == "/run/breakwater.sock");
}

TEST_CASE("ctl: verbs, and where the listener is") {
  CommandLine line = parse({"ctl", "servers"});
  REQUIRE_MESSAGE(line.command == Command::ctl, line.text);
  CHECK(line.ctl.verb == Ctl::Verb::servers);
  CHECK(line.ctl.address == "unix:/run/breakwater.sock");
  line = parse({"ctl", "-s", "127.0.0.1:9090", "--json", "operations"});
  CHECK(line.ctl.verb == Ctl::Verb::operations);
  CHECK(line.ctl.address == "127.0.0.1:9090");
  CHECK(line.ctl.json);
  CHECK(parse({"ctl", "queue"}).ctl.verb == Ctl::Verb::queue);
  CHECK(parse({"ctl", "queue", "gogs/a:1"}).command != Command::ctl);
  line = parse({"ctl", "weight", "gogs/unix:/run/gogs.sock", "7", "-s", "unix:/x"});
  CHECK(line.ctl.verb == Ctl::Verb::weight);
  CHECK(line.ctl.server == "gogs/unix:/run/gogs.sock");
  CHECK(line.ctl.weight == 7);
  CHECK(line.ctl.address == "unix:/x");
  CHECK(parse({"ctl", "drain", "gogs/a:1"}).ctl.verb == Ctl::Verb::drain);
  CHECK(parse({"ctl", "ready", "gogs/a:1"}).ctl.verb == Ctl::Verb::ready);
  CHECK(parse({"ctl", "maintenance", "gogs/a:1"}).ctl.verb == Ctl::Verb::maintenance);
}

TEST_CASE("mistakes are one sentence and exit status 2") {
  const std::vector<std::vector<const char*>> mistakes{
      {"run"},
      {"run", "--listen", "a:1"},
      {"run", "--listen", "a", "--backend", "b:1"},
      {"run", "--listen", "a:1", "--backend", "b:0"},
      {"run", "--listen", "a:1", "--backend", "unix:x"},
      {"run", "--listen", ":1", "--backend", "127.0.0.1:1"},
      {"run", "--listen", "a:1", "--backend", "b:1", "--backend", "B:1"},
      {"run", "--listen", "a:1", "--backend", "b:1", "--admin", "unix:x"},
      {"ctl"},
      {"ctl", "drain"},
      {"ctl", "drain", "gogs"},
      {"ctl", "drain", "/a:1"},
      {"ctl", "drain", "gogs/"},
      {"ctl", "weight", "gogs/a:1"},
      {"ctl", "weight", "gogs/a:1", "257"},
      {"ctl", "weight", "gogs/a:1", "-1"},
      {"ctl", "servers", "gogs/a:1"},
      {"run", "--listen", "a:1", "--backend", "b:1 nonsense"},
      {"run", "--listen", "unix:/run/x", "--backend", "b:1"},
      {"run", "--listen", "a:1", "--backend", "b:1", "--cores", "0"},
      {"run", "--listen", "a:1", "--backend", "b:1", "--nonsense"},
      {"run", "-f", "/nonexistent/x.toml"},
      {"run", "-f", "x", "--listen", "a:1"},
      {"check"},
      {"run", "--listen", "a:1", "--backend", "b:1", "--explain-timeouts"},
      {"nonsense"}};
  for (const std::vector<const char*>& words : mistakes) {
    const CommandLine line = parse(words);
    CAPTURE(line.text);
    CHECK(line.exit_status == 2);
    CHECK(line.command == Command::failed);
    CHECK(line.text.find("breakwater: ") == 0);
    CHECK(line.text.find('\n') == line.text.size() - 1);
  }
  CHECK(parse({}).exit_status == 2);
}

TEST_CASE("the help that a mistake points to had none of the command's options") {
  CHECK(parse({"run", "--nonsense"}).text.find("(breakwater run --help shows") != std::string::npos);
  CHECK(parse({"check"}).text.find("(breakwater check --help shows") != std::string::npos);
  CHECK(parse({"ctl", "drain"}).text.find("(breakwater ctl --help shows") != std::string::npos);
  CHECK(parse({"nonsense"}).text.find("(breakwater --help shows") != std::string::npos);
}

TEST_CASE("an address of ctl that is none was found out too late to be called a mistake") {
  const CommandLine line = parse({"ctl", "-s", "foo", "servers"});
  CHECK(line.exit_status == 2);
  CHECK(line.text == "breakwater: -s: the port is missing; write host:port\n");
  CHECK(parse({"ctl", "-s", "/run/x.sock", "servers"}).text ==
        "breakwater: -s: a unix socket is written unix:/run/x.sock\n");
  CHECK(parse({"ctl", "servers"}).ctl.endpoint.path == "/run/breakwater.sock");
}

TEST_CASE("--log: a dash became a file, and so did stderr; nothing became stdout") {
  using Target = breakwater::config::Log::Target;
  const auto with = [](const char* log) {
    return parse({"run", "--listen", ":1", "--backend", "a:1", "--log", log});
  };
  CHECK(with("-").config.log.target == Target::standard_output);
  CHECK(with("stdout").config.log.target == Target::standard_output);
  CHECK(with("./stderr").config.log.path == "./stderr");
  CHECK(with("").text == "breakwater: --log takes a file, stdout or off\n");
  CHECK(with("stderr").text.find("./stderr") != std::string::npos);
  CHECK(with("stderr").exit_status == 2);
}

TEST_CASE("help and version are no mistakes") {
  CHECK(parse({"--version"}).text == "version text\n");
  CHECK(parse({"--help"}).exit_status == 0);
  CHECK(parse({"run", "--help"}).text.find("--backend") != std::string::npos);
}

TEST_CASE("check: one line, then what each kind set, and the timeouts if they are asked for") {
  const FileOf file(
      "[listen.git]\nbind = ':80'\npool = 'gogs'\n[pool.gogs]\nservers = ['a:1']\nkind = 'gitlab'\n"
      "[timeouts]\nserver_idle = '5s'\n[route.a]\npath = '/a'\npool = 'gogs'\n");
  const std::string& path = file.path();
  CHECK(parse({"check", "-f", path.c_str()}).text ==
        path +
            ": ok: 1 listener, 1 pool, 1 server, 1 route\n  pool gogs: kind gitlab: probe tcp, path case is "
            "folded; "
            "overridden: server_idle by " +
            path + ":8\n");
  const CommandLine line = parse({"check", "-f", path.c_str(), "--explain-timeouts"});
  CHECK(line.command == Command::check);
  CHECK(line.exit_status == 0);
  CHECK(line.text.find("\nname ") != std::string::npos);
  CHECK(line.text.find("\npool.gogs.server_idle ") != std::string::npos);
  CHECK(line.text.find(path + ":8 ") != std::string::npos);
}

TEST_CASE("check: a file without an end was read until memory had one") {
  const CommandLine line = parse({"check", "-f", "/dev/zero"});
  CHECK(line.exit_status == 2);
  CHECK(line.text.find("the file is larger than 1MiB") != std::string::npos);
}
