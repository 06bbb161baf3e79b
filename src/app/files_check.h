// What `breakwater check` looks at beside the text of the file: whether a start could use the files that it
// names. Addresses are left to the start: another program may have them now, or a name not be known here.
#pragma once

#include <string>
#include <vector>

#include "config/config.h"

namespace breakwater::app {

// What would end a start, a sentence or more each: certificates, keys and lists that can't be used, and
// folders that are not there for the log, the pid file and the admin socket. Whether these may be written
// is not looked at: that only the start knows. Reads what a start reads, and writes nothing. With `sandbox`
// the privileges that a start gives up before it reads are given up here, too, for good; otherwise root would
// find readable what a start does not.
std::vector<std::string> faults_of_files(const config::Config& config);

}  // namespace breakwater::app
