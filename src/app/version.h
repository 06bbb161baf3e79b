// What `breakwater --version` prints: ourselves, the libraries built with and running, what the kernel
// offers, and which data path follows from that.
#pragma once

#include <string>

namespace breakwater::app {

std::string version_text();

}  // namespace breakwater::app
