#include "app/files_check.h"

#include <filesystem>
#include <optional>
#include <system_error>

#include "app/certificate_watch.h"
#include "app/sandbox.h"
#include "app/sticky_key.h"
#include "proxy/server.h"
#include "tls/current.h"

namespace breakwater::app {

namespace {

void check_certificates(const config::Config& config, std::vector<std::string>& faults) {
  for (const config::Listen& listen : config.listens) {
    tls::Current<tls::Context> current;
    CertificateWatch reader;
    std::string why;
    if (listen.tls.speaks() && !reader.add(listen, current, why)) faults.push_back(std::move(why));
  }
  for (const config::Pool& pool : config.pools) {
    proxy::PoolTls tls;
    CertificateWatch reader;
    std::string why;
    if (pool.tls.on && !reader.add(pool, tls, why)) faults.push_back(std::move(why));
  }
}

// `what` is "`path` in [log]".
void check_place_of(const std::string& what, const std::string& path, std::vector<std::string>& faults) {
  if (path.empty()) return;
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) return faults.push_back(what + " is a folder: " + path);
  std::filesystem::path folder = std::filesystem::path(path).parent_path();
  if (folder.empty()) folder = ".";
  if (std::filesystem::is_directory(folder, error)) return;
  const bool is_known =
      !error || error == std::errc::no_such_file_or_directory || error == std::errc::not_a_directory;
  faults.push_back(is_known ? "there is no folder " + folder.string() + " for " + what + ": make it"
                            : "the folder " + folder.string() + " for " + what +
                                  " can't be looked at: " + error.message());
}

}  // namespace

std::vector<std::string> faults_of_files(const config::Config& config) {
  std::vector<std::string> faults;
  std::string why;
  if (config.sandbox && !keep_what_starting_needs(why)) faults.push_back(why);
  check_certificates(config, faults);
  for (const config::Pool& pool : config.pools)
    if (!pool.sticky.cookie.empty() && !StickyKey::make(pool.sticky, why)) faults.push_back(why);
  if (config.log.target == config::Log::Target::file)
    check_place_of("`path` in [log]", config.log.path, faults);
  check_place_of("`pid_file` in [process]", config.pid_file, faults);
  check_place_of("`bind` in [admin]", config.admin.path, faults);
  for (std::string& fault : faults) fault += hint_for_root(config.sandbox, fault);
  return faults;
}

}  // namespace breakwater::app
