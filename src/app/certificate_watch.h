// CertificateWatch: one thread that reads the files of TLS again when they change or when it is asked to, and
// gives out new keys for tickets now and then.
//
// Changes are heard of through inotify(7), of the folders that the files are in, so that a file that is
// replaced by another of its name counts, and so does a link that leads elsewhere. They are acted on once
// nothing has changed for a moment: whoever writes certificates writes several files.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
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
    const tls::Current<tls::Context>* current = nullptr;  // of a listener; null: of a pool
    std::atomic<uint64_t> reads{0}, failures{0};
  };

  bool add(std::unique_ptr<TlsFiles> files, std::string& why);
  void run();
  void watch_folders();
  bool something_changed() const;
  void load_all();

  std::deque<Watched> watched_;
  // By inotify's number of a folder: the names in it that matter; none: all of them.
  std::map<int, std::set<std::string>> names_;
  int changes_ = -1;  // inotify
  int wake_ = -1;     // an eventfd
  std::atomic<bool> asked_{false}, stopping_{false};
  std::thread thread_;
};

}  // namespace breakwater::app
