#include "app/certificate_watch.h"

#include <poll.h>
#include <pthread.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <filesystem>

#include "app/say.h"
#include "ring/sys.h"

namespace breakwater::app {

namespace {

constexpr int64_t second_ns = 1'000'000'000;
// A set of files that is being written rests no longer than this between two of them.
constexpr int settle_ms = 300;
// A ticket holds for 12 hours, by keys that open for two turns more than they seal.
constexpr int64_t ticket_turn_ns = 6 * 3600 * second_ns;

constexpr uint32_t changes_heard_of =
    IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB | IN_ONLYDIR;

std::string folder_of(const std::string& file) {
  const std::string folder = std::filesystem::path(file).parent_path();
  return folder.empty() ? "." : folder;
}

}  // namespace

CertificateWatch::~CertificateWatch() {
  stopping_.store(true);
  if (thread_.joinable()) {
    sys::signal_event(wake_);
    thread_.join();
  }
  if (changes_ >= 0) close(changes_);
  if (wake_ >= 0) close(wake_);
}

bool CertificateWatch::add(const config::Listen& listen, tls::Current<tls::Context>& current,
                           std::string& why) {
  if (!add(std::make_unique<ListenerFiles>(listen, current), why)) return false;
  watched_.back().current = &current;
  return true;
}

bool CertificateWatch::add(const config::Pool& pool, proxy::PoolTls& tls, std::string& why) {
  return add(std::make_unique<PoolFiles>(pool, tls), why);
}

bool CertificateWatch::add(std::unique_ptr<TlsFiles> files, std::string& why) {
  Watched& watched = watched_.emplace_back();
  watched.files = std::move(files);
  tls::Errors errors;
  if (watched.files->load(errors)) {
    watched.reads.store(1);
    return true;
  }
  why = "[" + watched.files->table() + "] can't speak TLS:";
  for (const std::string& error : errors) why += "\n  " + error;
  return false;
}

void CertificateWatch::start() {
  if (watched_.empty()) return;
  changes_ = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
  if (changes_ < 0)
    say(std::string("changes of certificates are not noticed (") + strerror(errno) +
        "): send SIGHUP after one");
  wake_ = sys::make_event();
  watch_folders();
  thread_ = std::thread([this] { run(); });
}

void CertificateWatch::read_again() noexcept {
  if (!thread_.joinable()) return;
  asked_.store(true);
  sys::signal_event(wake_);
}

// Again after every change: a folder may have been made anew under its name.
void CertificateWatch::watch_folders() {
  if (changes_ < 0) return;
  std::map<std::string, std::set<std::string>> folders;
  const auto add_file = [&folders](const std::string& file) {
    if (!file.empty()) folders[folder_of(file)].insert(std::filesystem::path(file).filename());
  };
  for (const Watched& watched : watched_) {
    add_file(watched.files->folder());
    for (const std::string& file : watched.files->files()) add_file(file);
  }
  for (const Watched& watched : watched_)
    if (!watched.files->folder().empty()) folders[watched.files->folder()].clear();
  names_.clear();
  for (const auto& [folder, names] : folders) {
    const int number = inotify_add_watch(changes_, folder.c_str(), changes_heard_of);
    if (number >= 0)
      names_[number] = names;
    else if (errno != ENOENT)
      say("changes in " + folder + " are not noticed (" + strerror(errno) + "): send SIGHUP after one");
  }
}

bool CertificateWatch::something_changed() const {
  bool changed = false;
  alignas(inotify_event) std::array<char, 16 * (sizeof(inotify_event) + NAME_MAX + 1)> room;
  ssize_t bytes = 0;
  while (changes_ >= 0 && (bytes = read(changes_, room.data(), room.size())) > 0) {
    const char* at = room.data();
    while (at < room.data() + bytes) {
      const auto* const event = reinterpret_cast<const inotify_event*>(at);
      at += sizeof(inotify_event) + event->len;
      const auto names = names_.find(event->wd);
      if (names == names_.end() || (event->mask & IN_IGNORED) != 0) continue;
      changed = changed || names->second.empty() || (event->len > 0 && names->second.contains(event->name));
    }
  }
  return changed;
}

void CertificateWatch::run() {
  pthread_setname_np(pthread_self(), "certificates");
  int64_t rotate_at = sys::monotonic_ns() + ticket_turn_ns;
  bool changed = false;
  while (!stopping_.load()) {
    std::array<pollfd, 2> waits = {pollfd{wake_, POLLIN, 0}, pollfd{changes_, POLLIN, 0}};
    const int64_t left_ms = std::max<int64_t>((rotate_at - sys::monotonic_ns()) / 1'000'000, 0);
    const int limit = changed ? settle_ms : static_cast<int>(std::min<int64_t>(left_ms, INT_MAX));
    const int ready = poll(waits.data(), waits.size(), limit);
    uint64_t count = 0;
    if ((waits[0].revents & POLLIN) != 0 && read(wake_, &count, sizeof count) < 0) continue;
    const bool more = something_changed();
    if (asked_.exchange(false) || (changed && ready == 0)) {
      changed = false;
      watch_folders();
      load_all();
    } else {
      changed = changed || more;
    }
    if (sys::monotonic_ns() < rotate_at) continue;
    rotate_at += ticket_turn_ns;
    for (Watched& watched : watched_) watched.files->rotate_tickets();
  }
}

void CertificateWatch::load_all() {
  for (Watched& watched : watched_) {
    const std::string title = "[" + watched.files->table() + "]";
    tls::Errors errors;
    if (watched.files->load(errors)) {
      watched.reads.fetch_add(1);
      say(title + ": its certificates were read again");
      continue;
    }
    watched.failures.fetch_add(1);
    std::string text =
        title + ": its certificates stay what they were, for those that are there now can't be used:";
    for (const std::string& error : errors) text += "\n  " + error;
    say(text);
  }
}

std::vector<CertificateReading> CertificateWatch::readings() const {
  std::vector<CertificateReading> readings;
  for (const Watched& watched : watched_) {
    CertificateReading& reading = readings.emplace_back();
    reading.table = watched.files->table();
    reading.reads = watched.reads.load();
    reading.failures = watched.failures.load();
    if (watched.current == nullptr) continue;
    const std::shared_ptr<const tls::Context> now = watched.current->get();
    for (size_t index = 0; now != nullptr && index < now->identities(); index++)
      reading.expiries.push_back({now->identity(index).file, now->identity(index).certificate.not_after});
  }
  return readings;
}

}  // namespace breakwater::app
