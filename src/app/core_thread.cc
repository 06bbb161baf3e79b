#include "app/core_thread.h"

#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>

#include "app/log_writer.h"
#include "app/sandbox.h"
#include "core/core.h"
#include "proxy/limits.h"
#include "proxy/serving.h"
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

}  // namespace

CoreThread::CoreThread(uint32_t index, int cpu, Shared& shared, LogRing& log, std::vector<int> listen_fds)
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

void CoreThread::ask_for_report(proxy::Listing listing) {
  report_.ask(listing);
  post(Mailbox::report);
}

void CoreThread::run() {
  thread_id_.store(gettid());
  if (shared_.config->pin) {
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    CPU_SET(static_cast<size_t>(cpu_), &cpus);
    pthread_setaffinity_np(pthread_self(), sizeof cpus, &cpus);  // a courtesy: works unpinned as well
  }
  pthread_setname_np(pthread_self(), ("core-" + std::to_string(index_)).c_str());
  std::unique_ptr<Core> core =
      Core::open(index_, core_limits(shared_.config->limits), stats_, log_, mailbox_, failure_);
  const bool is_ready = core != nullptr && (!shared_.config->sandbox || give_up_privileges(failure_));
  ready_.store(is_ready ? 1 : 2);
  ready_.notify_one();
  if (is_ready) {
    go_.wait(0);
    serve(*core);
  }
  ended_.store(true);
}

void CoreThread::serve(Core& core) {
  core.set_log_signal([](void* writer) { static_cast<LogWriter*>(writer)->signal(); }, shared_.log_writer);
  const uint64_t seed =
      static_cast<uint64_t>(sys::realtime_ns()) * 31 + core.index() + static_cast<uint64_t>(getpid());
  proxy::Serving serving(core, *shared_.config, shared_.sites, shared_.pools, listen_fds_, seed);
  serving.write_reports_to(report_);
  core.run();
}

}  // namespace breakwater::app
