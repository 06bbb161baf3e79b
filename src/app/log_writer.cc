#include "app/log_writer.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <utility>

#include "base/thread_counts.h"

namespace breakwater::app {

namespace {
constexpr std::chrono::milliseconds gather{5};
constexpr std::chrono::seconds end_limit{2};
constexpr size_t write_bytes_max = 64 * 1024;  // so that a slow reader is seen to take something
}  // namespace

LogWriter::LogWriter(const config::Log& target, std::vector<std::unique_ptr<LogRing>>& rings)
    : target_(target), rings_(rings) {}

LogWriter::~LogWriter() {
  if (thread_.joinable()) {
    stopping_.store(true);
    signal();
    uint64_t written = 0;
    bool ended = false;
    do {
      written = written_bytes_.load();
      ended = ended_.try_acquire_for(end_limit);
    } while (!ended && written_bytes_.load() != written);
    if (!ended) {
      std::fprintf(stderr, "the access log takes nothing (does anybody read it?): its last lines are lost\n");
      _exit(0);
    }
    thread_.join();
  }
  if (target_.target == config::Log::Target::file && fd_ >= 0) close(fd_);
}

bool LogWriter::open(std::string& why) {
  switch (target_.target) {
    case config::Log::Target::off:
      break;
    case config::Log::Target::standard_output:
      fd_ = STDOUT_FILENO;
      break;
    case config::Log::Target::file:
      fd_ = open_file(why);
      return fd_ >= 0;
  }
  return true;
}

int LogWriter::open_file(std::string& why) const {
  // A FIFO without a reader is an error (ENXIO), and nothing to wait for.
  const int fd = ::open(target_.path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0640);
  if (fd < 0) {
    why = "the access log " + target_.path + " can't be opened: " +
          (errno == ENXIO ? "it is a socket, or a pipe that nobody reads (--log stdout is standard output)"
                          : strerror(errno));
    return -1;
  }
  fcntl(fd, F_SETFL, O_APPEND);  // but whoever reads slowly is waited for
  return fd;
}

void LogWriter::start() {
  thread_ = std::thread([this] { run(); });
}

void LogWriter::signal() noexcept {
  if (signalled_.exchange(1) != 0) return;
  thread_counts.system_calls++;
  signalled_.notify_one();
}

void LogWriter::reopen() noexcept {
  reopen_.store(true);
  signal();
}

void LogWriter::take_new_file() {
  std::string said = "there is no log file to open anew";
  if (target_.target == config::Log::Target::file) {
    const int fd = open_file(said);
    if (fd >= 0) {
      close(std::exchange(fd_, fd));
      told_ = false;
      if (lseek(fd_, 0, SEEK_END) == 0) ends_in_a_part_ = false;
      said = "the access log " + target_.path + " was opened anew";
    }
  }
  std::fprintf(stderr, "asked to open the log anew: %s; the configuration is read at the start only\n",
               said.c_str());
}

void LogWriter::run() {
  for (;;) {
    signalled_.wait(0, std::memory_order_acquire);
    if (!stopping_.load()) std::this_thread::sleep_for(gather);
    // Lowered before `stopping_` is read: whoever sets that afterwards finds the signal low and wakes us
    // again.
    signalled_.store(0);
    const bool last = stopping_.load();
    write_all();
    if (reopen_.exchange(false)) take_new_file();
    if (last) return ended_.release();
  }
}

void LogWriter::write_all() {
  for (const std::unique_ptr<LogRing>& ring : rings_) {
    ring->drain([this](const char* data, size_t bytes) {
      if (fd_ >= 0) write_lines(data, bytes);
    });
  }
}

// A stretch of whole lines, but that a line may go over from the first stretch of a ring to the second. A
// full disk loses log lines, never requests; and never a part of a line, so that what comes later can be
// read.
void LogWriter::write_lines(const char* data, size_t bytes) {
  std::string_view rest(data, bytes);
  if (in_lost_line_) {
    const size_t end = rest.find('\n');
    if (end == std::string_view::npos) return;
    rest.remove_prefix(end + 1);
    in_lost_line_ = false;
    lost_lines_.fetch_add(1, std::memory_order_relaxed);
  }
  while (!rest.empty()) {
    const std::string_view next = ends_in_a_part_ ? std::string_view("\n") : rest;
    const ssize_t written = write(fd_, next.data(), std::min(next.size(), write_bytes_max));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return lose(rest);
    written_bytes_.fetch_add(static_cast<uint64_t>(written), std::memory_order_relaxed);
    last_written_ = next[static_cast<size_t>(written) - 1];
    if (ends_in_a_part_)
      ends_in_a_part_ = false;
    else
      rest.remove_prefix(static_cast<size_t>(written));
  }
}

// What could not be written. The line that stands cut in the file is among it.
void LogWriter::lose(std::string_view lines) {
  if (!told_)
    std::fprintf(stderr, "the access log can't be written, its lines are dropped: %s\n", strerror(errno));
  told_ = true;
  lost_lines_.fetch_add(static_cast<uint64_t>(std::count(lines.begin(), lines.end(), '\n')),
                        std::memory_order_relaxed);
  in_lost_line_ = lines.back() != '\n';
  ends_in_a_part_ = last_written_ != '\n';
}

}  // namespace breakwater::app
