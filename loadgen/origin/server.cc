#include "origin/server.h"

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstring>
#include <deque>
#include <memory>
#include <thread>
#include <vector>

#include "core/core.h"
#include "core/log_ring.h"
#include "core/mailbox.h"
#include "core/stats.h"
#include "origin/listen_address.h"
#include "origin/listener.h"
#include "origin/session.h"
#include "origin/site.h"
#include "origin/tls_folder.h"
#include "plan/basic_authorization.h"
#include "ring/sys.h"

namespace breakwater::storm::origin {

namespace {

constexpr int backlog = 4096;
constexpr int64_t grace_ns = 5'000'000'000;  // for answers that are under way when it is to end
constexpr timespec poll_end{.tv_sec = 0, .tv_nsec = 10'000'000};

// Heads and bodies come in through few buffers, for they are copied out of them at once.
constexpr CoreLimits core_limits{.ring_entries = 4096,
                                 .head_buffers = 256,
                                 .answer_buffers = 16,
                                 .bulk_buffers = 16,
                                 .head_rooms = 1,
                                 .pipes = 1};

void say(const std::string& sentence) {
  std::fprintf(stderr, "%s\n", sentence.c_str());
}

// One core's thread, from its start to the end of its last session.
class CoreThread {
 public:
  struct Sockets {
    int clients = -1, control = -1;
  };
  CoreThread(uint32_t index, Site& site, Sockets sockets)
      : index_(index), site_(site), sockets_(sockets), log_(4096) {}
  CoreThread(const CoreThread&) = delete;
  CoreThread& operator=(const CoreThread&) = delete;

  void start() {
    thread_ = std::thread([this] { run(); });
  }
  // Empty: it accepts.
  std::string wait_ready() {
    ready_.wait(0);
    return why_;
  }
  void post(Mailbox::Message message) noexcept { mailbox_.post(message); }
  bool ended() const noexcept { return ended_.load(); }
  void join() { thread_.join(); }

 private:
  void run() {
    const std::unique_ptr<Core> core = Core::open(index_, core_limits, stats_, log_, mailbox_, why_);
    if (core != nullptr) {
      Worker worker(*core, site_);
      worker_ = &worker;
      listeners_.emplace_back(worker, sockets_.clients, false);
      if (sockets_.control >= 0) listeners_.emplace_back(worker, sockets_.control, true);
      core->mailbox().listen(core->ring(), on_message, this);
      worker.scope.when_empty([](void* self) { static_cast<CoreThread*>(self)->end_if_drained(); }, this);
      for (Listener& listener : listeners_) listener.start();
      say_ready();
      core->run();
      listeners_.clear();
    } else {
      say_ready();
    }
    ended_.store(true);
  }

  void say_ready() {
    ready_.store(1);
    ready_.notify_one();
  }

  static void on_message(void* context, uint32_t messages) {
    CoreThread& self = *static_cast<CoreThread*>(context);
    Worker& worker = *self.worker_;
    if (!worker.draining) {
      worker.draining = true;
      for (Listener& listener : self.listeners_) listener.stop();
      self.for_each_session(&Session::drain);
    }
    if ((messages & Mailbox::stop_now) != 0) self.for_each_session(&Session::stop_now);
    self.end_if_drained();
  }

  void for_each_session(void (Session::*verb)() noexcept) {
    Session* next = nullptr;
    for (Session* session = worker_->sessions.front(); session != nullptr; session = next) {
      next = worker_->sessions.after(*session);
      (session->*verb)();
    }
  }

  void end_if_drained() {
    if (!worker_->draining || !worker_->scope.empty()) return;
    worker_->core.mailbox().close();
    worker_->core.stop();
  }

  uint32_t index_;
  Site& site_;
  Sockets sockets_;
  Stats stats_;
  LogRing log_;
  Mailbox mailbox_;
  Worker* worker_ = nullptr;
  std::deque<Listener> listeners_;
  std::string why_;
  std::atomic<int> ready_{0};
  std::atomic<bool> ended_{false};
  std::thread thread_;
};

void make_repositories(Site& site) {
  const auto content = std::make_shared<const SyntheticContent>(site.options.content);
  for (uint32_t number = 0; number < site.options.repositories; number++) {
    const std::string name = "repository-" + std::to_string(number) + ".git";
    site.repositories.push_back(std::make_unique<SyntheticRepository>(content, name, number));
  }
}

void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

// Waits for the end, then for the threads: answers under way get some time.
void run_until_signal(const sigset_t& signals, std::deque<CoreThread>& threads) {
  int number = 0;
  sigwait(&signals, &number);
  for (CoreThread& thread : threads) thread.post(Mailbox::drain);
  const int64_t stop_ns = sys::monotonic_ns() + grace_ns;
  bool is_stopped = false;
  for (CoreThread& thread : threads) {
    while (!thread.ended()) {
      const bool is_hurried = sigtimedwait(&signals, nullptr, &poll_end) > 0;
      if (is_stopped || (!is_hurried && sys::monotonic_ns() < stop_ns)) continue;
      is_stopped = true;
      for (CoreThread& each : threads) each.post(Mailbox::stop_now);
    }
    thread.join();
  }
}

}  // namespace

int serve_synthetic(const Options& options) {
  Site site;
  site.options = options;
  site.authorization = basic_authorization(options.user, options.password);
  std::string why;
  if (!options.tls.empty()) {
    site.tls = read_tls_folder(options.tls, why);
    if (!site.tls) {
      say(why);
      return 1;
    }
  }
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
  raise_descriptor_limit();
  make_repositories(site);

  Address clients, control;
  int control_fd = -1;
  if (!read_listen_address(options.listen, clients, why)) {
    say(why);
    return 2;
  }
  if (!options.control.empty()) {
    if (!read_listen_address(options.control, control, why)) {
      say(why);
      return 2;
    }
    control_fd = sys::listen_on(control, backlog, true);
    if (control_fd < 0) {
      say("can't listen on " + control.text() + ": " + std::strerror(-control_fd));
      return 1;
    }
  }
  std::deque<CoreThread> threads;
  for (uint32_t index = 0; index < options.cores; index++) {
    const int fd = sys::listen_on(clients, backlog, index == 0);
    if (fd < 0) {
      say("can't listen on " + clients.text() + ": " + std::strerror(-fd));
      return 1;
    }
    threads.emplace_back(index, site, CoreThread::Sockets{fd, index == 0 ? control_fd : -1});
  }
  for (CoreThread& thread : threads) thread.start();
  for (CoreThread& thread : threads) {
    const std::string failure = thread.wait_ready();
    if (why.empty()) why = failure;
  }
  if (!why.empty()) {
    say(why);
    _exit(1);  // threads that did start hold nothing that would have to be saved
  }
  if (control_fd >= 0) say("control on " + control.text());
  say("listening on " + clients.text());
  run_until_signal(signals, threads);
  return 0;
}

}  // namespace breakwater::storm::origin
