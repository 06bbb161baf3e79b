// LogWriter: one thread that carries the cores' log lines to their file, so that a slow disk never stalls a
// core.
//
// Sleeps until a core signals; then waits a moment so that lines gather, and writes whatever is there, core
// by core, so lines of different cores never mix.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <semaphore>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "config/config.h"
#include "core/log_ring.h"

namespace breakwater::app {

class LogWriter {
 public:
  LogWriter(const config::Log& target, std::vector<std::unique_ptr<LogRing>>& rings);
  // Writes what is left. A pipe that nobody reads, or a disk that hangs, would hold the process for ever:
  // when nothing was taken for two seconds this says so and ends it, with status 0.
  ~LogWriter();
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;

  bool open(std::string& why);  // false: the file can't be had
  void start();
  void signal() noexcept;  // any thread: there are lines
  // Any thread: the file may have been moved away, so go on with a new one of its name. Says on stderr what
  // came of it. If the new one can't be had, the old one goes on.
  void reopen() noexcept;
  // Any thread: lines that the file did not take, because its disk is full, say.
  uint64_t lost_lines() const noexcept { return lost_lines_.load(std::memory_order_relaxed); }

 private:
  void run();
  int open_file(std::string& why) const;
  void take_new_file();
  void write_all();
  void write_lines(const char* data, size_t bytes);
  void lose(std::string_view lines);

  const config::Log& target_;
  std::vector<std::unique_ptr<LogRing>>& rings_;
  int fd_ = -1;
  bool in_lost_line_ = false;    // the rest of a line whose beginning was lost comes next
  bool ends_in_a_part_ = false;  // the file ends with a part of a line that was lost
  char last_written_ = '\n';
  bool told_ = false;  // stderr knows that lines are lost
  std::atomic<uint64_t> lost_lines_{0};
  std::atomic<uint64_t> written_bytes_{0};
  std::atomic<uint32_t> signalled_{0};
  std::atomic<bool> reopen_{false};
  std::atomic<bool> stopping_{false};
  std::binary_semaphore ended_{0};
  std::thread thread_;
};

}  // namespace breakwater::app
