// docs/security.md lists the system calls that the filter allows, no more and no fewer. That the filter holds
// is for tests/security and tests/http/sandbox_test.py.
#include "app/sandbox.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <sstream>
#include <string>

#include "unit/text_of_file.h"

using namespace breakwater::app;

namespace {

std::string section_on_calls() {
  const std::string page = text_of_file(SECURITY_PAGE);
  const size_t begin = page.find("\n## System calls");
  REQUIRE(begin != std::string::npos);
  return page.substr(begin, page.find("\n## ", begin + 1) - begin);
}

// Of its tables: what stands in backticks in the first column, and there alone.
std::set<std::string> calls_in(const std::string& section) {
  std::set<std::string> found;
  std::istringstream lines(section);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("| `")) continue;
    const std::string first = line.substr(2, line.find(" |", 2) - 2);
    for (size_t at = first.find('`'); at != std::string::npos;) {
      const size_t end = first.find('`', at + 1);
      found.insert(first.substr(at + 1, end - at - 1));
      at = first.find('`', end + 1);
    }
  }
  return found;
}

}  // namespace

TEST_CASE("docs: every system call that is allowed is there, and no other") {
  const std::string section = section_on_calls();
  std::set<std::string> allowed;
  for (const AllowedCall& call : allowed_calls()) {
    CHECK(allowed.insert(std::string(call.name)).second);
    if (call.only.empty()) continue;
    const std::string row = "| `" + std::string(call.name) + "` | " + std::string(call.only) + " | " +
                            (call.ends_beside ? "the process ends" : "EPERM") + " |";
    CHECK_MESSAGE(section.find(row) != std::string::npos, row);
  }
  CHECK(calls_in(section) == allowed);
}
