// A scenario's file: TOML text in, a Scenario or every problem at once out, as strictly as the proxy reads
// its own. Pure: reads no other file, and resolves no name. docs/scenarios.md says what may be in it.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/problems.h"
#include "plan/scenario.h"

namespace breakwater::storm {

// A file that the text names, for whoever may read it.
struct NamedFile {
  std::string path;  // empty: none is named
  config::Place place;
};

struct NamedLog {
  NamedFile file;
  size_t arrivals;  // index in the scenario
};

struct ScenarioFile {
  Scenario scenario;        // without the target's secret
  NamedFile password_file;  // its first line is the secret
  NamedFile authorities;    // the same as Target::tls_ca
  // Access logs. Whoever reads them gives them to the scenario's arrivals, which replay them.
  std::vector<NamedLog> logs;
};

// `url`: a server's, which read_server_url() takes, in place of the text's own; empty: none.
std::variant<ScenarioFile, config::Problems> read_scenario(std::string_view text, std::string_view url = {});

}  // namespace breakwater::storm
