// What bench_client is told on its command line.
#pragma once

#include <netinet/in.h>

#include <cstdint>
#include <string>

#include "tls.h"

namespace breakwater::bench {

struct Options {
  sockaddr_in server{};
  std::string method = "GET";
  std::string path = "/";
  std::string fields;  // further header lines, each with its CRLF
  unsigned connections = 1;
  uint64_t body_bytes = 0;        // of each request
  uint64_t body_chunk_bytes = 0;  // 0: the request's body has a Content-Length
  std::string body;               // sent instead, from a file
  bool churn = false;             // a connection for each request
  double rate = 0;                // requests a second, all connections together; 0: as fast as answers come
  double warm_up_seconds = 0.3;
  double seconds = 1;
  uint64_t begin_ns = 0;      // CLOCK_MONOTONIC at which measuring begins, instead of `warm_up_seconds`
  uint64_t answer_bytes = 0;  // what every answer must hold; 0: anything that is complete
  uint64_t requests_max = 100'000'000;
  TlsOptions tls;
};

// Ends the program with a sentence if it can't be understood.
Options parse_options(int argc, char** argv);

}  // namespace breakwater::bench
