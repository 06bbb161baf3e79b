// The files that make_certificates.sh makes, for unit tests and fuzz targets: made once for each program, at
// the first use.
#pragma once

#include <string>
#include <string_view>

namespace breakwater::tls::testing {

// The file's bytes. Ends the process, with a sentence, if there is none.
std::string certificate_file(std::string_view name);

}  // namespace breakwater::tls::testing
