#include "origin/options.h"

#include <array>
#include <fstream>
#include <string_view>

#include "base/parse_number.h"
#include "config/units.h"
#include "origin/faults.h"

namespace breakwater::storm::origin {

namespace {

constexpr uint32_t repositories_max = 100'000, refs_max = 1'000'000, cores_max = 256;
constexpr uint64_t pack_bytes_max = uint64_t{16} * 1024 * 1024 * 1024;

using Why = std::string;  // empty: all is well

Why set_number(std::string_view value, uint64_t least, uint64_t most, auto& number) {
  uint64_t read = 0;
  if (!parse_number(value, read) || read < least || read > most)
    return "takes a whole number from " + std::to_string(least) + " to " + std::to_string(most);
  number = static_cast<std::remove_reference_t<decltype(number)>>(read);
  return {};
}

Why set_size(std::string_view value, uint64_t most, uint64_t& bytes) {
  const std::optional<uint64_t> read = config::parse_size(value);
  if (!read || *read > most) return "takes a size like 4096, 64KiB or 100MiB";
  bytes = *read;
  return {};
}

// "10MiB", "10MiB/s"
Why set_rate(std::string_view value, uint64_t& rate) {
  if (value.ends_with("/s")) value.remove_suffix(2);
  const Why why = set_size(value, UINT64_MAX, rate);
  return why.empty() ? why : "takes a size for a second, like 512KiB/s";
}

Why set_framing(std::string_view value, Framing& framing) {
  constexpr std::array<std::string_view, 3> names = {"apache", "nginx", "go"};
  for (size_t index = 0; index < names.size(); index++) {
    if (value != names[index]) continue;
    framing = static_cast<Framing>(index);
    return {};
  }
  return "takes apache, nginx or go";
}

// NAME:FILE, so that the password is not in the list of processes.
Why set_user(std::string_view value, Options& options) {
  const size_t colon = value.find(':');
  if (colon == std::string_view::npos || colon == 0) return "takes NAME:PASSWORD-FILE";
  options.user = value.substr(0, colon);
  const std::string path(value.substr(colon + 1));
  std::ifstream file(path);
  if (!std::getline(file, options.password)) return "can't read a password from " + path;
  return {};
}

Why set_compute(std::string_view value, std::chrono::milliseconds& compute) {
  const std::optional<config::Duration> read = config::parse_duration(value);
  if (!read) return "takes a duration like 250ms or 2s";
  compute = *read;
  return {};
}

Why set(std::string_view name, std::string_view value, Options& options) {
  SyntheticSettings& content = options.content;
  const auto set_text = [&](std::string& text) {
    text = value;
    return value.empty() ? Why("takes a value") : Why();
  };
  if (name == "--listen") return set_text(options.listen);
  if (name == "--control") return set_text(options.control);
  if (name == "--cores") return set_number(value, 1, cores_max, options.cores);
  if (name == "--repositories") return set_number(value, 1, repositories_max, options.repositories);
  if (name == "--refs") return set_number(value, 1, refs_max, content.refs);
  if (name == "--pack") return set_size(value, pack_bytes_max, content.pack_bytes);
  if (name == "--lfs") return set_size(value, pack_bytes_max, content.lfs_bytes);
  if (name == "--seed") return set_number(value, 0, UINT64_MAX, content.seed);
  if (name == "--rate") return set_rate(value, options.rate);
  if (name == "--compute") return set_compute(value, options.compute);
  if (name == "--framing") return set_framing(value, options.framing);
  if (name == "--user") return set_user(value, options);
  if (name == "--tls") return set_text(options.tls);
  if (name == "--repos") return set_text(options.repos);
  return "is no option of this command";
}

}  // namespace

std::expected<Options, std::string> read_options(int argc, const char* const* argv) {
  Options options;
  for (int index = 1; index < argc; index++) {
    std::string_view name = argv[index];
    if (name == "--help" || name == "-h") {
      options.help = true;
      return options;
    }
    if (name == "--allow-push") {
      options.allow_push = true;
      continue;
    }
    std::string_view value;
    if (const size_t equals = name.find('='); equals != std::string_view::npos) {
      value = name.substr(equals + 1);
      name = name.substr(0, equals);
    } else if (index + 1 < argc) {
      value = argv[++index];
    }
    const Why why = set(name, value, options);
    if (!why.empty()) return std::unexpected(std::string(name) + " " + why);
  }
  return options;
}

std::string usage() {
  return "usage: stormgen origin [OPTION...]\n"
         "A Git server of repositories made from a seed, for benchmarks and tests, or of real ones.\n"
         "  --listen ADDRESS:PORT   where to listen (default 127.0.0.1:0; port 0 takes a free one)\n"
         "  --cores N               threads, each with a loop of its own (default 1)\n"
         "  --repositories R        /repository-0.git and so on (default 1)\n"
         "  --refs N                branches and tags of each (default 20)\n"
         "  --pack SIZE             about, of a whole clone (default 1MiB)\n"
         "  --lfs SIZE              of each object of Git LFS (default 1MiB)\n"
         "  --seed NUMBER           another one makes other repositories (default 1)\n"
         "  --rate SIZE             bytes a second of each answer (default: as fast as they are taken)\n"
         "  --compute DURATION      before each pack, as if it had to be made (default 0s)\n"
         "  --framing SERVER        heads and chunks as of apache, nginx or go (default apache)\n"
         "  --user NAME:FILE        asks for this user; the file's first line is the password\n"
         "  --tls DIR               speaks TLS with the certificates in DIR (NAME.crt and NAME.key)\n"
         "  --control ADDRESS:PORT  where faults are ordered: PUT, GET, DELETE /faults; GET /stats;\n"
         "                          POST /advance?repository=repository-0.git\n"
         "  --repos DIR             instead: the bare repositories below DIR, by the installed git\n"
         "  --allow-push            with --repos: let clients push\n" +
         faults_help();
}

}  // namespace breakwater::storm::origin
