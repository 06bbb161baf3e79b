// What the admin listener says, as tables for people. Pure.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace breakwater::app {

// Of GET /servers, GET /operations, GET /queue, and of the row that a change is answered with. Values that
// are missing, or of no form that goes into a cell, show as empty, so that a client of one version can read a
// server of another.
std::string servers_table(const nlohmann::json& page);
std::string operations_table(const nlohmann::json& page);
std::string queue_table(const nlohmann::json& page);
std::string server_line(const nlohmann::json& row);

}  // namespace breakwater::app
