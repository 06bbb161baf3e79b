#include "app/certificate_watch.h"

#include <poll.h>
#include <pthread.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <set>

#include "app/look_of_files.h"
#include "app/say.h"
#include "base/second.h"
#include "ring/sys.h"

namespace breakwater::app {

namespace {

// A set of files that is being written rests no longer than this between two of them.
constexpr int64_t settle_ns = second_ns * 3 / 10;
// How often files are looked at if nothing is heard of them.
constexpr int64_t look_every_ns = 10 * second_ns;
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
  watched.look_read = watched.look_last = watched.files->look();
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
  if (changes_ < 0) say(std::string("changes of certificates are noticed late (") + strerror(errno) + ")");
  wake_ = sys::make_event();
  watch_folders();
  thread_ = std::thread([this] { run(); });
}

void CertificateWatch::read_again() noexcept {
  if (!thread_.joinable()) return;
  asked_.store(true);
  sys::signal_event(wake_);
}

// Again after every change: a folder may have been made anew under its name, and a link lead elsewhere.
void CertificateWatch::watch_folders() {
  if (changes_ < 0) return;
  std::set<std::string> folders;
  const auto add = [&folders](const std::string& file) {
    if (file.empty()) return;
    std::error_code error;
    folders.insert(folder_of(file));
    folders.insert(folder_of(std::filesystem::weakly_canonical(file, error)));
  };
  for (const Watched& watched : watched_) {
    const std::string folder = watched.files->folder();
    add(folder);
    if (!folder.empty()) folders.insert(folder);
    for (const std::string& file : watched.files->files()) add(file);
  }
  for (const std::string& folder : folders) {
    if (inotify_add_watch(changes_, folder.c_str(), changes_heard_of) >= 0) continue;
    if (errno != ENOENT && told_of_.insert(folder).second)
      say("changes in " + folder + " are noticed late (" + strerror(errno) + ")");
  }
}

// What it was does not matter: that is looked at.
bool CertificateWatch::hears_of_something() const {
  bool hears = false;
  alignas(inotify_event) std::array<char, 4096> room;
  while (changes_ >= 0 && read(changes_, room.data(), room.size()) > 0) hears = true;
  return hears;
}

// Reads what changed and has come to rest. True if something has not.
bool CertificateWatch::look() {
  bool is_restless = false;
  for (Watched& watched : watched_) {
    std::string now = watched.files->look();
    const bool rests = now == watched.look_last;
    watched.look_last = now;
    is_restless = is_restless || !rests;
    if (rests && now != watched.look_read) load(watched, std::move(now));
  }
  return is_restless;
}

void CertificateWatch::run() {
  pthread_setname_np(pthread_self(), "certificates");
  int64_t now = sys::monotonic_ns();
  int64_t rotate_at = now + ticket_turn_ns;
  int64_t look_at = now;
  while (!stopping_.load()) {
    std::array<pollfd, 2> waits = {pollfd{wake_, POLLIN, 0}, pollfd{changes_, POLLIN, 0}};
    const int64_t left_ns = std::min(look_at, rotate_at) - sys::monotonic_ns();
    poll(waits.data(), waits.size(), static_cast<int>(std::max<int64_t>(left_ns / 1'000'000 + 1, 0)));
    uint64_t count = 0;
    if ((waits[0].revents & POLLIN) != 0 && read(wake_, &count, sizeof count) < 0) continue;
    const bool hears = hears_of_something();
    now = sys::monotonic_ns();
    if (asked_.exchange(false)) {
      for (Watched& watched : watched_) load(watched, watched.files->look());
    }
    // However much is heard, it does not put off a look that is due.
    if (hears) look_at = std::min(look_at, now + settle_ns);
    if (now >= look_at) {
      watch_folders();
      look_at = now + (look() ? settle_ns : look_every_ns);
    }
    if (now < rotate_at) continue;
    rotate_at += ticket_turn_ns;
    for (Watched& watched : watched_) watched.files->rotate_tickets();
  }
}

// `look`: of the files, from before they are read.
void CertificateWatch::load(Watched& watched, std::string look) {
  watched.look_read = watched.look_last = std::move(look);
  const std::string title = "[" + watched.files->table() + "]";
  tls::Errors errors;
  if (watched.files->load(errors)) {
    watched.reads.fetch_add(1);
    return say(title + ": its certificates were read again");
  }
  watched.failures.fetch_add(1);
  std::string text =
      title + ": its certificates stay what they were, for those that are there now can't be used:";
  for (const std::string& error : errors) text += "\n  " + error;
  say(text);
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
