#include "app/certificates.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>
#include <utility>

#include "base/read_file.h"
#include "ring/sys.h"

namespace breakwater::app {

namespace {

constexpr size_t file_bytes_max = 1024 * 1024;  // a file of authorities may have some hundred of them
constexpr size_t files_max = 4096;              // in a folder
// How many of our own ticket keys that were replaced still open.
constexpr size_t ticket_keys_kept = 2;

std::optional<tls::File> read(const std::string& path, tls::Errors& errors) {
  std::string text, why = "it is no file";  // a FIFO that nobody writes to would wait for ever
  std::error_code error;
  const bool may_wait =
      std::filesystem::exists(path, error) && !std::filesystem::is_regular_file(path, error);
  const bool was_read = !may_wait && read_file(path, file_bytes_max + 1, text, why);
  tls::File file{path, tls::Secret(text)};
  explicit_bzero(text.data(), text.size());
  if (was_read && text.size() <= file_bytes_max) return file;
  if (was_read) why = "it has more than " + std::to_string(file_bytes_max) + " bytes";
  errors.push_back(path + ": " + why);
  return std::nullopt;
}

void append(tls::Errors& errors, const tls::Errors& more) {
  errors.insert(errors.end(), more.begin(), more.end());
}

// What was made becomes current, unless it could not be.
template <typename Made>
bool publish(std::expected<std::shared_ptr<const Made>, tls::Errors> made, tls::Current<Made>& current,
             tls::Errors& errors) {
  if (made)
    current.set(std::move(*made));
  else
    append(errors, made.error());
  return made.has_value();
}

std::vector<tls::File> read_folder(const std::string& folder, tls::Errors& errors) {
  std::vector<tls::File> files;
  std::error_code error;
  std::filesystem::directory_iterator each(folder, error);
  const std::filesystem::directory_iterator end;
  for (; !error && each != end; each.increment(error)) {
    std::error_code status;
    if (!each->is_regular_file(status)) continue;  // links are followed
    if (files.size() == files_max) {
      errors.push_back(folder + ": there are more than " + std::to_string(files_max) + " files in it");
      return {};
    }
    if (std::optional<tls::File> file = read(each->path(), errors)) files.push_back(std::move(*file));
  }
  if (error) errors.push_back(folder + ": " + error.message());
  return files;
}

tls::Version version_of(config::ListenTls::Minimum minimum) {
  return minimum == config::ListenTls::Minimum::tls13 ? tls::Version::tls13 : tls::Version::tls12;
}

tls::ClientCertificates asks(config::ListenTls::Client client) {
  switch (client) {
    case config::ListenTls::Client::off:
      break;
    case config::ListenTls::Client::optional:
      return tls::ClientCertificates::optional;
    case config::ListenTls::Client::required:
      return tls::ClientCertificates::required;
  }
  return tls::ClientCertificates::none;
}

void take(const std::string& path, tls::File& into, tls::Errors& errors) {
  if (path.empty()) return;
  if (std::optional<tls::File> file = read(path, errors)) into = std::move(*file);
}

// Where Debian and its kin keep what the system trusts.
constexpr std::string_view trusted_by_system = "/etc/ssl/certs/ca-certificates.crt";

std::string authorities_of(const config::ServerTls& tls) {
  if (!tls.verifies) return "";
  return tls.ca.empty() ? std::string(trusted_by_system) : tls.ca;
}

}  // namespace

bool ListenerFiles::load(tls::Errors& errors) {
  const config::ListenTls& tls = listen_.tls;
  const size_t before = errors.size();
  tls::ContextSettings settings;
  settings.minimum = version_of(tls.minimum);
  settings.client_certificates = asks(tls.client);
  settings.kernel = tls.kernel && sys::kernel_has_tls();
  tls::Pairing pairing = tls::pair_up(read_folder(tls.certificates, errors));
  append(errors, pairing.errors);
  if (errors.size() == before && pairing.pairs.empty())
    errors.push_back(tls.certificates +
                     ": there is no certificate in it (NAME.pem, or NAME.crt with NAME.key)");
  settings.pairs = std::move(pairing.pairs);
  take(tls.client_ca, settings.client_authorities.certificates, errors);
  take(tls.client_crl, settings.client_authorities.revoked, errors);
  settings.tickets = ticket_keys(errors);
  if (errors.size() > before) return false;
  return publish(tls::Context::make(std::move(settings)), current_, errors);
}

// Keys of our own outlive a reload, so that tickets do.
std::shared_ptr<const tls::TicketKeys> ListenerFiles::ticket_keys(tls::Errors& errors) const {
  const std::string& path = listen_.tls.ticket_keys;
  if (path.empty()) {
    const std::shared_ptr<const tls::Context> now = current_.get();
    if (now != nullptr && now->tickets() != nullptr) return now->ticket_keys();
    std::shared_ptr<const tls::TicketKeys> keys = tls::TicketKeys::random();
    if (keys == nullptr) errors.push_back("there is no randomness for ticket keys");
    return keys;
  }
  const std::optional<tls::File> file = read(path, errors);
  if (!file) return nullptr;
  std::expected<std::shared_ptr<const tls::TicketKeys>, std::string> keys =
      tls::TicketKeys::from_text(file->text.view());
  if (keys) return std::move(*keys);
  errors.push_back(path + ": " + keys.error());
  return nullptr;
}

void ListenerFiles::rotate_tickets() {
  const std::shared_ptr<const tls::Context> now = current_.get();
  if (!listen_.tls.ticket_keys.empty() || now == nullptr || now->tickets() == nullptr) return;
  std::shared_ptr<const tls::TicketKeys> keys = now->tickets()->rotated(ticket_keys_kept);
  if (keys != nullptr) current_.set(now->with_tickets(std::move(keys)));
}

std::vector<std::string> ListenerFiles::files() const {
  return {listen_.tls.ticket_keys, listen_.tls.client_ca, listen_.tls.client_crl};
}

bool PoolFiles::load(tls::Errors& errors) {
  const config::ServerTls& tls = pool_.tls;
  const size_t before = errors.size();
  tls::ClientContextSettings settings;
  settings.verifies = tls.verifies;
  take(authorities_of(tls), settings.authorities.certificates, errors);
  take(tls.crl, settings.authorities.revoked, errors);
  if (!tls.certificate.empty()) {
    std::vector<tls::File> files;
    if (std::optional<tls::File> file = read(tls.certificate, errors)) files.push_back(std::move(*file));
    tls::Pairing pairing = tls::pair_up(files);
    append(errors, pairing.errors);
    if (errors.size() == before && pairing.pairs.empty())
      errors.push_back(tls.certificate + ": it must be a NAME.pem with a certificate and its key");
    settings.identity = std::move(pairing.pairs);
  }
  if (errors.size() > before) return false;
  return publish(tls::ClientContext::make(std::move(settings)), tls_.current, errors);
}

std::vector<std::string> PoolFiles::files() const {
  return {authorities_of(pool_.tls), pool_.tls.crl, pool_.tls.certificate};
}

}  // namespace breakwater::app
