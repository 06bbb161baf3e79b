// CoreThread: one CPU's thread with its Core, Worker and listeners, from start to the end of its drain.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "config/config.h"
#include "core/log_ring.h"
#include "core/mailbox.h"
#include "core/stats.h"
#include "proxy/report.h"
#include "proxy/worker.h"

namespace breakwater::app {

class LogWriter;

// What all cores share; made before the first thread. Of it only the pools' atomics are written then.
struct Shared {
  const config::Config* config = nullptr;
  std::vector<proxy::Site> sites;  // by listener
  std::deque<proxy::SharedPool> pools;
  LogWriter* log_writer = nullptr;
};

class CoreThread {
 public:
  CoreThread(uint32_t index, int cpu, Shared& shared, LogRing& log, std::vector<int> listen_fds);
  ~CoreThread();
  CoreThread(const CoreThread&) = delete;
  CoreThread& operator=(const CoreThread&) = delete;

  void start();
  // Waits until it is ready or has failed; an empty text means ready.
  std::string wait_ready();
  void begin() noexcept;  // accept connections from now on
  void post(Mailbox::Message message) noexcept { mailbox_.post(message); }
  bool ended() const noexcept { return ended_.load(); }
  // From one thread only: has it write down what it serves. The answer is there when report().is_answered().
  void ask_for_report(proxy::Listing listing);
  const proxy::Report& report() const noexcept { return report_; }
  void join();
  const Stats& stats() const noexcept { return stats_; }
  int thread_id() const noexcept { return thread_id_.load(); }  // the kernel's; 0 before it runs

 private:
  void run();
  void serve(Core& core);

  uint32_t index_;
  int cpu_;
  Shared& shared_;
  LogRing& log_;
  std::vector<int> listen_fds_;
  Mailbox mailbox_;
  Stats stats_;
  proxy::Report report_;
  std::string failure_;
  std::atomic<int> ready_{0};  // 0 starting, 1 ready, 2 failed
  std::atomic<int> go_{0};     // 0 wait, 1 accept
  std::atomic<bool> ended_{false};
  std::atomic<int> thread_id_{0};
  std::thread thread_;
};

}  // namespace breakwater::app
