// StormThreads: a storm on all its cores, one thread each, from start to end. Progress may be read from any
// thread while it goes on; the Collectors are whole once join() has returned.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "client/job.h"
#include "client/pushes.h"
#include "client/storm.h"
#include "core/log_ring.h"
#include "core/mailbox.h"
#include "core/stats.h"
#include "measure/collector.h"

namespace breakwater::storm {

class StormThreads {
 public:
  // `plan` without its start; what it names outlives this.
  explicit StormThreads(const StormPlan& plan);
  ~StormThreads();  // as abort() and join()
  StormThreads(const StormThreads&) = delete;
  StormThreads& operator=(const StormThreads&) = delete;

  // Opens the cores. Empty, or a sentence that says why it can't.
  std::string open();
  // Begins so long from now. After open(), once.
  void begin(int64_t lead_ns = 50'000'000);
  void abort() noexcept;  // any thread: it ends as soon as it can, and what runs is not counted
  bool has_ended() const noexcept { return ended_.load() == cores_.size(); }
  void join();

  int64_t start_ns() const noexcept { return plan_.start_ns; }
  Progress progress() const noexcept;                // any thread, after begin()
  std::vector<const Collector*> collectors() const;  // after join()

 private:
  struct OneCore {
    Stats stats;
    LogRing log{4096};
    Mailbox mailbox;
    std::unique_ptr<Collector> collector;
    std::string failure;
    std::atomic<int> ready{0};  // 1: it may begin; 2: it failed
    std::thread thread;
    StormThreads* all = nullptr;
    Core* core = nullptr;
    Storm* storm = nullptr;
  };
  void run(uint32_t index);
  void serve(OneCore& one, Core& core);
  void tell_all(Mailbox::Message message) noexcept;
  static void on_message(void* context, uint32_t messages);

  StormPlan plan_;
  Pushes pushes_;
  std::deque<OneCore> cores_;
  std::atomic<int> go_{0};  // 1: begin; 2: there will be no storm
  std::atomic<size_t> ended_{0};
};

}  // namespace breakwater::storm
