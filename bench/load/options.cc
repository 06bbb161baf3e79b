#include "options.h"

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string_view>

#include "sockets.h"

namespace breakwater::bench {
namespace {

constexpr const char* usage =
    "usage: bench_client --connect ADDRESS:PORT [options]\n"
    "Sends requests for a while and prints what came of it as one line of JSON.\n"
    "  --path PATH            what to ask for (default /)\n"
    "  --header 'NAME: VALUE' a further header line; may be repeated\n"
    "  --connections N        how many at once (default 1)\n"
    "  --post-bytes N         POST bodies of N bytes, with a Content-Length\n"
    "  --post-chunk N         the same in chunks of N bytes\n"
    "  --post-file FILE       POST the bytes of a file\n"
    "  --churn                a connection for each request\n"
    "  --rate N               requests a second; latency counts from when one was due (default: one after "
    "another)\n"
    "  --warm-up SECONDS      before measuring (default 0.3)\n"
    "  --begin-at NS          measure from this CLOCK_MONOTONIC time on, instead of after --warm-up\n"
    "  --seconds SECONDS      measure for so long (default 1)\n"
    "  --answer-bytes N       an answer whose body is not of this length is an error\n"
    "  --requests-max N       end early after so many\n"
    "TLS, of one version, one suite and one group:\n"
    "  --tls                  speak it; needs --ca or --insecure\n"
    "  --ca FILE              PEM of those who may sign the server's certificate\n"
    "  --insecure             anybody may be the server\n"
    "  --server-name NAME     whose certificate it must be, and is asked for (default git.example)\n"
    "  --resume               a new connection comes back with the session of the one before\n"
    "  --tls-version 1.2|1.3  (default 1.3)\n"
    "  --suite NAME           (default TLS_AES_128_GCM_SHA256)\n"
    "  --group X25519|P-256   (default X25519)\n";

template <typename Number>
Number number(std::string_view name, const std::string& text) {
  Number value{};
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stopped != end || value < Number{}) {
    give_up(std::string(name) + " takes a number, not '" + text + "'");
  }
  return value;
}

std::string contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) give_up("cannot read " + path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Those that take no value.
bool* flag_of(Options& options, std::string_view name) {
  if (name == "--churn") return &options.churn;
  if (name == "--tls") return &options.tls.on;
  if (name == "--insecure") return &options.tls.insecure;
  if (name == "--resume") return &options.tls.resume;
  return nullptr;
}

bool is_old_version(const std::string& version) {
  if (version != "1.2" && version != "1.3") give_up("--tls-version is 1.2 or 1.3, not '" + version + "'");
  return version == "1.2";
}

}  // namespace

Options parse_options(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    if (name == "--help") {
      std::fputs(usage, stdout);
      std::exit(0);
    }
    if (bool* const flag = flag_of(options, name); flag != nullptr) {
      *flag = true;
      continue;
    }
    if (i + 1 == argc) give_up(std::string(name) + " needs a value, or is unknown; see --help");
    const std::string value = argv[++i];
    if (name == "--connect") {
      options.server = parse_address(value);
    } else if (name == "--path") {
      options.path = value;
    } else if (name == "--header") {
      options.fields += value + "\r\n";
    } else if (name == "--connections") {
      options.connections = number<unsigned>(name, value);
    } else if (name == "--post-bytes") {
      options.method = "POST";
      options.body_bytes = number<uint64_t>(name, value);
    } else if (name == "--post-chunk") {
      options.body_chunk_bytes = number<uint64_t>(name, value);
    } else if (name == "--post-file") {
      options.method = "POST";
      options.body = contents(value);
    } else if (name == "--rate") {
      options.rate = number<double>(name, value);
    } else if (name == "--warm-up") {
      options.warm_up_seconds = number<double>(name, value);
    } else if (name == "--begin-at") {
      options.begin_ns = number<uint64_t>(name, value);
    } else if (name == "--seconds") {
      options.seconds = number<double>(name, value);
    } else if (name == "--answer-bytes") {
      options.answer_bytes = number<uint64_t>(name, value);
    } else if (name == "--requests-max") {
      options.requests_max = number<uint64_t>(name, value);
    } else if (name == "--ca") {
      options.tls.authorities = value;
    } else if (name == "--server-name") {
      options.tls.server_name = value;
    } else if (name == "--tls-version") {
      options.tls.is_old = is_old_version(value);
    } else if (name == "--suite") {
      options.tls.suite = value;
    } else if (name == "--group") {
      options.tls.group = value;
    } else {
      give_up("unknown argument " + std::string(name) + "; see --help");
    }
  }
  if (options.server.sin_port == 0) give_up("--connect is missing; see --help");
  if (options.connections == 0 || options.seconds <= 0)
    give_up("--connections and --seconds must be more than 0");
  if (options.tls.on && options.tls.insecure != options.tls.authorities.empty())
    give_up("--tls needs one of --ca and --insecure");
  if (options.tls.resume && !options.tls.on) give_up("--resume needs --tls");
  if (options.churn && options.rate > 0) give_up("--churn and --rate don't go together");
  return options;
}

}  // namespace breakwater::bench
