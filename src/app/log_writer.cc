#include "app/log_writer.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <utility>

#include "base/thread_counts.h"

namespace breakwater::app {

namespace {
constexpr std::chrono::milliseconds gather{5};
}

LogWriter::LogWriter(const config::Log& target, std::vector<std::unique_ptr<LogRing>>& rings)
    : target_(target), rings_(rings) {}

LogWriter::~LogWriter() {
  if (thread_.joinable()) {
    stopping_.store(true);
    signal();
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
  const int fd = ::open(target_.path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
  if (fd < 0) why = "the access log " + target_.path + " can't be opened: " + strerror(errno);
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
      said = "the access log " + target_.path + " was opened anew";
    }
  }
  std::fprintf(stderr, "SIGHUP: %s; the configuration is read at the start only\n", said.c_str());
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
    if (last) return;
  }
}

size_t LogWriter::write_all() {
  size_t total = 0;
  for (const std::unique_ptr<LogRing>& ring : rings_) {
    total += ring->drain([this](const char* data, size_t bytes) {
      while (fd_ >= 0 && bytes > 0) {
        const ssize_t written = write(fd_, data, bytes);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return;  // a full disk loses log lines, never requests
        data += written;
        bytes -= static_cast<size_t>(written);
      }
    });
  }
  return total;
}

}  // namespace breakwater::app
