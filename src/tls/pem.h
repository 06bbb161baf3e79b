// PEM files taken apart: which pieces are in one, and which files of a directory belong together.
//
// A file that is written while we read it ends too early, or its other half is not there yet. So every piece
// has to be whole, and a certificate without its key is an error and not skipped.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "tls/secret.h"

namespace breakwater::tls {

struct File {
  std::string name;  // its path: for errors, and for what belongs together
  Secret text;
};

// A server's certificate with what is needed to use it.
struct Pair {
  std::string name;        // of its file, without the ending
  std::string chain;       // PEM: its certificate, then those between it and the authority
  Secret key;              // PEM
  std::string staple;      // DER of an OCSP answer; empty if there is none
  std::string chain_file;  // for errors
  std::string key_file;
};

struct Pieces {
  std::vector<std::vector<uint8_t>> certificates;  // DER
  std::string certificates_pem;
  std::vector<std::string> revocation_lists;  // PEM
  Secret key;                                 // PEM; empty if there is none
};

// Everything between BEGIN and END lines; pieces of other kinds are skipped. Otherwise the reason.
std::expected<Pieces, std::string> take_apart(std::string_view text);

struct Pairing {
  std::vector<Pair> pairs;          // in the order of their names
  std::vector<std::string> errors;  // "FILE: reason"; whoever gets one should use nothing of this
};

// NAME.pem holds a chain and its key, or NAME.crt the one and NAME.key the other; NAME.ocsp may hold a
// staple. Files whose names, without the folder, begin with a dot or end with ~ are nobody's.
Pairing pair_up(const std::vector<File>& files);

}  // namespace breakwater::tls
