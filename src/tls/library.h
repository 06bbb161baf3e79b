// The library that does the cryptography, wolfSSL: started once, with memory that is wiped when it is given
// back; and which one it is, for --version.
//
// Not every build of it is fast: Debian's and Ubuntu's packages leave its assembly out. tools/wolfssl builds
// the same source with it (docs/decisions/0011-wolfssl-is-built-from-source.md).
#pragma once

#include <cstdint>
#include <string>

namespace breakwater::tls {

// Before anything else of this folder, as often as one likes, from any thread. Ends the process if the
// library can't be used at all.
void start_library() noexcept;

// "wolfSSL 5.5.4, built from 5.5.4-2+deb12u3, assembly in use: AES-NI, AVX2", for --version.
std::string library_text();

// A sentence for start-up if this library is many times slower than it could be; otherwise empty.
std::string slow_library_warning();

// What the library holds at the moment of what this thread took from it: bytes that were asked for, those of
// another thread's freed here taken off. For tests and sums.
int64_t library_bytes() noexcept;

}  // namespace breakwater::tls
