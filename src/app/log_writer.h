// LogWriter: one thread that carries the cores' log lines to their file, so that a slow disk never stalls a
// core.
//
// Sleeps until a core signals; then waits a moment so that lines gather, and writes whatever is there, core
// by core, so lines of different cores never mix.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "config/config.h"
#include "core/log_ring.h"

namespace breakwater::app {

class LogWriter {
 public:
  LogWriter(const config::Log& target, std::vector<std::unique_ptr<LogRing>>& rings);
  ~LogWriter();  // writes what is left
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;

  bool open(std::string& why);  // false: the file can't be had
  void start();
  void signal() noexcept;  // any thread: there are lines

 private:
  void run();
  size_t write_all();

  const config::Log& target_;
  std::vector<std::unique_ptr<LogRing>>& rings_;
  int fd_ = -1;
  std::atomic<uint32_t> signalled_{0};
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace breakwater::app
