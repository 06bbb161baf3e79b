// CertificateWatch: one thread that reads the files of TLS again when they change or when it is asked to, and
// gives out new keys for tickets now and then.
//
// What counts is what the files look like (look_of_files.h). They are looked at when inotify(7) tells of
// anything in the folders that they are in, and now and then besides: it does not hear of what other machines
// do on a network file system, nor of a link above those folders that leads elsewhere now. They are read once
// they look the same twice: whoever writes certificates writes several files.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "app/certificates.h"
#include "app/metrics.h"

namespace breakwater::app {

class CertificateWatch {
 public:
  CertificateWatch() = default;
  ~CertificateWatch();
  CertificateWatch(const CertificateWatch&) = delete;
  CertificateWatch& operator=(const CertificateWatch&) = delete;

  // Before start(): reads the files of a listener, or of a pool. False, with the reasons, if they are no
  // good. What is given outlives this.
  bool add(const config::Listen& listen, tls::Current<tls::Context>& current, std::string& why);
  bool add(const config::Pool& pool, proxy::PoolTls& tls, std::string& why);
  bool empty() const noexcept { return watched_.empty(); }
  // Does nothing if there is nothing to watch.
  void start();
  void read_again() noexcept;                        // any thread
  std::vector<CertificateReading> readings() const;  // any thread

 private:
  struct Watched {
    std::unique_ptr<TlsFiles> files;
    std::string look_read, look_last;  // of them: when they were read, and when they were last looked at
    const tls::Current<tls::Context>* current = nullptr;  // of a listener; null: of a pool
    std::atomic<uint64_t> reads{0}, failures{0};
  };

  bool add(std::unique_ptr<TlsFiles> files, std::string& why);
  void run();
  void watch_folders();
  bool hears_of_something() const;
  bool look();
  static void load(Watched& watched, std::string look);

  std::deque<Watched> watched_;
  std::set<std::string> told_of_;  // folders of which nothing is heard
  int changes_ = -1;               // inotify
  int wake_ = -1;                  // an eventfd
  std::atomic<bool> asked_{false}, stopping_{false};
  std::thread thread_;
};

}  // namespace breakwater::app
