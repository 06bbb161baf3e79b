#include "app/core_thread.h"

#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <deque>

#include "app/log_writer.h"
#include "core/core.h"
#include "proxy/limits.h"
#include "proxy/listener.h"
#include "proxy/session.h"
#include "ring/sys.h"

namespace breakwater::app {

namespace {

CoreLimits core_limits(const config::Limits& limits) {
  return {.ring_entries = proxy::ring_entries,
          .head_buffer_bytes = proxy::head_buffer_bytes,
          .head_buffers = limits.head_buffers,
          .answer_buffers = std::max(limits.head_buffers / 4, 16u),
          .bulk_buffer_bytes = proxy::bulk_buffer_bytes,
          .bulk_buffers = limits.bulk_buffers,
          .head_rooms = proxy::head_rooms,
          .pipes = limits.pipes,
          .pipe_bytes = proxy::pipe_bytes};
}

// The life of the proxy on one core: accept; on drain let sessions end; when the last is gone, stop the core.
class Serving {
 public:
  Serving(Core& core, const Shared& shared, const std::vector<int>& listen_fds)
      : worker_(
            core, *shared.config,
            static_cast<uint64_t>(sys::realtime_ns()) * 31 + core.index() + static_cast<uint64_t>(getpid())) {
    for (const std::vector<proxy::Server>& servers : shared.pools) {
      worker_.pools.emplace_back(core, *shared.config, servers);
    }
    for (size_t index = 0; index < listen_fds.size(); index++) {
      listeners_.emplace_back(worker_, shared.sites[index], listen_fds[index]);
    }
    core.mailbox().listen(core.ring(), on_message, this);
    worker_.scope.when_empty([](void* self) { static_cast<Serving*>(self)->end_if_drained(); }, this);
    for (proxy::Listener& listener : listeners_) listener.start();
  }

 private:
  static void on_message(void* context, uint32_t messages) {
    Serving& self = *static_cast<Serving*>(context);
    if ((messages & (Mailbox::drain | Mailbox::stop_now)) != 0) self.drain();
    if ((messages & Mailbox::stop_now) != 0) self.stop_sessions();
    self.end_if_drained();
  }

  void drain() {
    if (worker_.draining) return;
    worker_.draining = true;
    for (proxy::Listener& listener : listeners_) listener.stop();
    proxy::Session* next = nullptr;
    for (proxy::Session* session = worker_.sessions.front(); session != nullptr; session = next) {
      next = worker_.sessions.after(*session);
      session->drain();
    }
  }

  void stop_sessions() {
    proxy::Session* next = nullptr;
    for (proxy::Session* session = worker_.sessions.front(); session != nullptr; session = next) {
      next = worker_.sessions.after(*session);
      session->stop_now();
    }
  }

  void end_if_drained() {
    if (!worker_.draining || !worker_.scope.empty()) return;
    for (proxy::PoolOnCore& pool : worker_.pools) {
      for (proxy::UpstreamPool& connections : pool.connections) connections.close();
    }
    worker_.core.mailbox().close();
    worker_.core.stop();
  }

  proxy::Worker worker_;
  std::deque<proxy::Listener> listeners_;
};

}  // namespace

CoreThread::CoreThread(uint32_t index, int cpu, const Shared& shared, LogRing& log,
                       std::vector<int> listen_fds)
    : index_(index), cpu_(cpu), shared_(shared), log_(log), listen_fds_(std::move(listen_fds)) {}

CoreThread::~CoreThread() {
  join();
}

void CoreThread::start() {
  thread_ = std::thread([this] { run(); });
}

void CoreThread::join() {
  if (!thread_.joinable()) return;
  begin();
  thread_.join();
}

std::string CoreThread::wait_ready() {
  ready_.wait(0);
  return failure_;
}

void CoreThread::begin() noexcept {
  go_.store(1);
  go_.notify_one();
}

void CoreThread::run() {
  if (shared_.config->pin) {
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    CPU_SET(static_cast<size_t>(cpu_), &cpus);
    pthread_setaffinity_np(pthread_self(), sizeof cpus, &cpus);  // a courtesy: works unpinned as well
  }
  pthread_setname_np(pthread_self(), ("core-" + std::to_string(index_)).c_str());
  std::unique_ptr<Core> core =
      Core::open(index_, core_limits(shared_.config->limits), stats_, log_, mailbox_, failure_);
  ready_.store(core != nullptr ? 1 : 2);
  ready_.notify_one();
  if (core != nullptr) {
    go_.wait(0);
    serve(*core);
  }
  ended_.store(true);
}

void CoreThread::serve(Core& core) {
  core.set_log_signal([](void* writer) { static_cast<LogWriter*>(writer)->signal(); }, shared_.log_writer);
  Serving serving(core, shared_, listen_fds_);
  core.run();
}

}  // namespace breakwater::app
