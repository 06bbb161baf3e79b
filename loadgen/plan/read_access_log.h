// An access log of breakwater's (docs/access-log.md) as operations that can be performed again: when each git
// command of a client began, of which kind it was, and of which repository. Pure.
//
// The requests of one command are known by their connection: a command begins with its info/refs, and what
// its POSTs are says of which kind it is. An answer of 401 is no begin: git asks again then, as a runner here
// does by itself. Of what was fetched a log has only sizes, so what a replay fetches, the scenario says. LFS
// requests, pages of the web interface and archives are left out.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>

#include "plan/scenario.h"

namespace breakwater::storm {

class AccessLogReader {
 public:
  static constexpr size_t line_bytes_max = 64 * 1024;

  // One line, without its line feed. False: it is none of an access log's, and nothing was taken from it.
  bool add(std::string_view line);
  // What all of them came to, in the order of their begins, of which the first is at 0.
  AccessLog finish();

 private:
  struct Command {
    int64_t at_us = 0;
    uint32_t repository = 0;
    bool pushes = false;  // it has asked for receive-pack
    unsigned posts = 0;
    unsigned protocol = 0;
    bool has_pushed = false;
  };
  void begin(const std::string& client, const Command& command);
  void end(const Command& command);
  uint32_t number_of(const std::string& repository);

  AccessLog log_;
  std::unordered_map<std::string, uint32_t> numbers_;  // of repositories
  std::unordered_map<std::string, Command> running_;   // by the client's address and port
};

}  // namespace breakwater::storm
