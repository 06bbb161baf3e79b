#include "app/server.h"

#include <netdb.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include "app/admin.h"
#include "app/admin_log.h"
#include "app/admin_pages.h"
#include "app/certificate_watch.h"
#include "app/core_thread.h"
#include "app/descriptors.h"
#include "app/log_writer.h"
#include "app/metrics.h"
#include "app/operations.h"
#include "app/resolver.h"
#include "app/sandbox.h"
#include "app/say.h"
#include "app/sticky_key.h"
#include "config/schema.h"
#include "config/server.h"
#include "proxy/limits.h"
#include "ring/ring.h"
#include "ring/sys.h"
#include "tls/library.h"

namespace breakwater::app {

namespace {

static_assert(config::socket_path_bytes_max == unix_path_bytes_max);

constexpr int backlog = 4096;
constexpr size_t admin_log_bytes = 64 * 1024;
constexpr timespec poll_end{.tv_sec = 0, .tv_nsec = 50'000'000};
constexpr int64_t stop_limit_ns = 2'000'000'000;  // after a second signal

std::vector<int> cpus_allowed() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<int> cpus;
  if (sched_getaffinity(0, sizeof set, &set) == 0) {
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
      if (CPU_ISSET(static_cast<size_t>(cpu), &set)) cpus.push_back(cpu);
    }
  }
  if (cpus.empty()) cpus.push_back(0);
  return cpus;
}

// Of our own sockets a name is looked up once. A server's unix socket need not be there yet.
bool resolve(const config::Endpoint& endpoint, bool passive, Address& address, std::string& why) {
  if (!endpoint.path.empty()) {
    address = Address::of_unix_socket(endpoint.path);
    return true;
  }
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = passive ? AI_PASSIVE : 0;
  addrinfo* found = nullptr;
  const char* const host = endpoint.host.empty() ? nullptr : endpoint.host.c_str();
  const int status = getaddrinfo(host, std::to_string(endpoint.port).c_str(), &hints, &found);
  if (status != 0) {
    why = "the host of " + endpoint.text() + " can't be found: " + gai_strerror(status);
    return false;
  }
  std::memcpy(&address.any, found->ai_addr, found->ai_addrlen);
  address.bytes = found->ai_addrlen;
  freeaddrinfo(found);
  return true;
}

bool write_pid_file(const std::string& path, std::string& why) {
  if (path.empty()) return true;
  FILE* const file = std::fopen(path.c_str(), "we");
  if (file == nullptr) {
    why = "the pid file " + path + " can't be written: " + strerror(errno);
    return false;
  }
  const bool written = std::fprintf(file, "%d\n", getpid()) > 0;
  if (std::fclose(file) == 0 && written) return true;
  why = "the pid file " + path + " can't be written: " + strerror(errno);
  unlink(path.c_str());
  return false;
}

// Only what is ours: while we drained, the next process may have written its own.
void remove_pid_file(const std::string& path) {
  FILE* const file = path.empty() ? nullptr : std::fopen(path.c_str(), "re");
  if (file == nullptr) return;
  int pid = 0;
  const bool is_ours = std::fscanf(file, "%d", &pid) == 1 && pid == getpid();
  std::fclose(file);
  if (is_ours) unlink(path.c_str());
}

// The signals that steer the process; blocked everywhere, waited for by the main thread.
sigset_t steering_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1}) sigaddset(&set, signal);
  return set;
}

bool asks_to_end(int signal) {
  return signal == SIGTERM || signal == SIGINT || signal == SIGQUIT;
}

// SIGUSR1 because other proxies open their logs anew at it; who is used to that should not end this one.
bool asks_to_reread(int signal) {
  return signal == SIGHUP || signal == SIGUSR1;
}

// Signals that mean nothing to us, and would end the process.
void ignore_what_means_nothing() {
  // SIGXFSZ: a log as large as a file may be: its lines are lost, and nothing else.
  for (const int each : {SIGPIPE, SIGXFSZ, SIGUSR2, SIGALRM, SIGVTALRM}) signal(each, SIG_IGN);
}

class Program {
 public:
  explicit Program(const config::Config& config)
      : config_(config),
        resolver_(config_.dns),
        log_writer_(config_.log, log_rings_),
        admin_log_(*log_rings_.emplace_back(std::make_unique<LogRing>(admin_log_bytes)), log_writer_),
        pages_({.metrics = [this] { return metrics(); },
                .operations = [this] { return operations_page(threads_, shared_.pools); },
                .queue = [this] { return queue_page(threads_, shared_.pools); }},
               shared_.pools, admin_log_),
        admin_([this](const AdminRequest& request) { return pages_.answer(request); }) {}

  int run() {
    std::string why;
    if (!start(why)) {
      for (const std::unique_ptr<CoreThread>& thread : threads_) thread->post(Mailbox::stop_now);
      say(why);
      return 1;
    }
    announce();
    serve();
    remove_pid_file(config_.pid_file);
    return 0;
  }

 private:
  bool start(std::string& why) {
    const RingFeatures features = probe_ring_features();
    if (!features.usable) {
      why = features.why;
      return false;
    }
    const std::vector<int> cpus = cpus_allowed();
    const uint32_t cores = config_.cores == 0 ? static_cast<uint32_t>(cpus.size()) : config_.cores;
    if (cores > cpus.size()) {
      why = "this process may use " + std::to_string(cpus.size()) + " CPUs, but " + std::to_string(cores) +
            " cores are asked for (--cores, [process] cores)";
      return false;
    }
    const uint64_t descriptors = raise_descriptor_limit();
    if (config_.sandbox && !begin_without_privileges(why)) return false;
    few_connections_ = few_connections_warning(config_.limits, cores, descriptors);
    config_.limits.connections = connections_that_fit(config_.limits, cores, descriptors);
    shared_.config = &config_;
    shared_.log_writer = &log_writer_;
    if (!find_servers(why) || !opens_files(log_writer_.open(why), why)) return false;
    std::vector<std::vector<int>> sockets(cores);
    if (!open_listeners(sockets, why) || !open_admin(why)) return false;
    for (uint32_t index = 0; index < cores; index++) {
      LogRing& log = *log_rings_.emplace_back(std::make_unique<LogRing>(proxy::log_ring_bytes));
      threads_.push_back(std::make_unique<CoreThread>(index, cpus[index], shared_, log, sockets[index]));
      threads_.back()->start();
    }
    for (const std::unique_ptr<CoreThread>& thread : threads_) {
      why = thread->wait_ready();
      if (!why.empty()) return false;
    }
    // As each core has, once it had its ring; threads that are made later get what this one has.
    if (config_.sandbox && !give_up_privileges(why)) return false;
    log_writer_.start();
    resolver_.start();
    certificates_.start();
    if (config_.admin_enabled) admin_.start();
    if (config_.sandbox && !filter_system_calls(why)) return false;  // every thread is there, and all is open
    // Last: what fails leaves none behind.
    if (!opens_files(write_pid_file(config_.pid_file, why), why)) return false;
    for (const std::unique_ptr<CoreThread>& thread : threads_) thread->begin();
    return true;
  }

  // Around a step that opens files: only there root is told of permissions, and not where a port is denied.
  bool opens_files(bool is_done, std::string& why) const {
    if (!is_done) why += hint_for_root(config_.sandbox, why);
    return is_done;
  }

  // Who may not load a module any more can't have that of the kernel's TLS loaded.
  bool begin_without_privileges(std::string& why) {
    for (const config::Listen& listen : config_.listens)
      if (listen.tls.speaks() && listen.tls.kernel) sys::kernel_has_tls();
    return keep_what_starting_needs(why);
  }

  // From here on a pool's servers are its slots: one for an address, and for a name as many as it may have.
  bool find_servers(std::string& why) {
    for (config::Pool& pool : config_.pools) {
      const StickyKey* sticky_key = nullptr;
      if (!pool.sticky.cookie.empty()) {
        std::optional<StickyKey> key = StickyKey::make(pool.sticky, why);
        if (!opens_files(key.has_value(), why)) return false;
        sticky_key = &sticky_keys_.emplace_back(std::move(*key));
      }
      const std::vector<config::Server> configured = std::exchange(pool.servers, {});
      std::deque<proxy::Server> servers;
      for (const config::Server& server : configured) {
        pool.servers.insert(pool.servers.end(), config::slots_of(server), server);
        Address address;
        const bool is_name = config::is_name(server.address);
        if (!is_name && !resolve(server.address, false, address, why)) return false;
        const std::string name = server.address.text();
        if (!is_name)
          servers.emplace_back(name, address, sticky_key ? sticky_key->value_for(pool.name, name) : "");
        while (servers.size() < pool.servers.size()) servers.emplace_back(name);
      }
      proxy::SharedPool& shared = shared_.pools.emplace_back(pool, std::move(servers));
      if (pool.tls.on) {
        shared.tls = std::make_unique<proxy::PoolTls>();
        shared.tls->name = pool.tls.name;
        if (!opens_files(certificates_.add(pool, *shared.tls, why), why)) return false;
      }
      uint32_t slot = 0;
      for (const config::Server& server : configured) {
        if (config::is_name(server.address)) resolver_.add(shared, slot, server, sticky_key);
        slot += config::slots_of(server);
      }
    }
    return resolver_.look_up_all(why);
  }

  // One socket for each listener and core; the first of a listener settles the port.
  bool open_listeners(std::vector<std::vector<int>>& sockets, std::string& why) {
    for (const config::Listen& listen : config_.listens) {
      proxy::Site& site = shared_.sites.emplace_back(listen.name, proxy::Router(config_, listen));
      site.redirect = listen.redirect;
      site.tells_client_certificate = listen.tls.tells_servers;
      if (listen.tls.speaks() && !read_certificates(listen, site, why)) return false;
      site.trusted = listen.trusted;
      Address address;
      if (!resolve(listen.bind, true, address, why)) return false;
      for (std::vector<int>& of_core : sockets) {
        const bool first = &of_core == &sockets.front();
        const int fd = sys::listen_on(address, backlog, first);
        if (fd < 0) {
          why = "can't listen on " + address.text() + ": " + strerror(-fd) +
                (fd == -EADDRINUSE ? " (another program uses this port, or another listener of this one)"
                                   : "") +
                (fd == -EACCES ? " (ports below 1024 need CAP_NET_BIND_SERVICE)" : "");
          return false;
        }
        of_core.push_back(fd);
      }
      listen_addresses_.push_back(address.text());
    }
    return true;
  }

  bool read_certificates(const config::Listen& listen, proxy::Site& site, std::string& why) {
    site.tls = std::make_unique<tls::Current<tls::Context>>();
    return opens_files(certificates_.add(listen, *site.tls, why), why);
  }

  bool open_admin(std::string& why) {
    if (!config_.admin_enabled) return true;
    Address address;
    if (!resolve(config_.admin, true, address, why)) return false;
    const bool is_open = admin_.open(address, why);
    if (!(address.is_unix() ? opens_files(is_open, why) : is_open)) return false;
    admin_address_ = address.text();
    return true;
  }

  void announce() const {
    if (!admin_address_.empty()) std::fprintf(stderr, "admin on %s\n", admin_address_.c_str());
    for (const std::string& address : listen_addresses_)
      std::fprintf(stderr, "listening on %s\n", address.c_str());
    const std::string slow = certificates_.empty() ? "" : tls::slow_library_warning();
    for (const std::string& warning : {few_connections_, slow})
      if (!warning.empty()) std::fprintf(stderr, "warning: %s\n", warning.c_str());
  }

  // Waits for signals: the first that ends us drains, the second stops at once.
  void serve() {
    const sigset_t signals = steering_signals();
    int signal = 0;
    do {
      if (sigwait(&signals, &signal) != 0) continue;
      if (asks_to_reread(signal)) reread();
    } while (!asks_to_end(signal));
    pages_.set_draining();
    post(Mailbox::drain);  // before it is said
    std::fprintf(stderr,
                 "draining: no new connections; running requests finish (signal again to stop at once)\n");
    const int64_t drain_ns = config::ns(config_.timeouts.drain);
    const int64_t drain_end = drain_ns > 0 ? sys::monotonic_ns() + drain_ns : INT64_MAX;
    while (!all_ended()) {
      const int again = sigtimedwait(&signals, nullptr, &poll_end);
      if (asks_to_reread(again)) reread();
      if (asks_to_end(again) || sys::monotonic_ns() >= drain_end) return stop_at_once();
    }
  }

  void reread() {
    log_writer_.reopen();
    certificates_.read_again();
  }

  void stop_at_once() {
    post(Mailbox::stop_now);
    const int64_t limit = sys::monotonic_ns() + stop_limit_ns;
    while (!all_ended()) {
      nanosleep(&poll_end, nullptr);
      if (sys::monotonic_ns() >= limit) _exit(0);  // a connect that still waits; the kernel closes everything
    }
  }

  void post(Mailbox::Message message) {
    for (const std::unique_ptr<CoreThread>& thread : threads_) thread->post(message);
  }

  bool all_ended() const {
    for (const std::unique_ptr<CoreThread>& thread : threads_) {
      if (!thread->ended()) return false;
    }
    return true;
  }

  std::string metrics() const {
    std::vector<CoreReading> cores;
    for (const std::unique_ptr<CoreThread>& thread : threads_) {
      cores.push_back({thread->stats(), context_switches(thread->thread_id()), config_.limits.connections});
    }
    return metrics_text(cores, resolver_.reading(), certificates_.readings(), shared_.pools,
                        sys::monotonic_ns(), log_writer_.lost_lines());
  }

  config::Config config_;
  Shared shared_;
  std::deque<StickyKey> sticky_keys_;
  CertificateWatch certificates_;
  Resolver resolver_;
  std::vector<std::unique_ptr<LogRing>> log_rings_;  // of each thread that has something to log
  LogWriter log_writer_;
  std::vector<std::string> listen_addresses_;
  std::string admin_address_;
  std::string few_connections_;  // a warning
  std::vector<std::unique_ptr<CoreThread>> threads_;
  AdminLog admin_log_;
  AdminPages pages_;
  Admin admin_;
};

}  // namespace

uint32_t allowed_cpus() {
  return static_cast<uint32_t>(cpus_allowed().size());
}

int run_server(const config::Config& config) {
  ignore_what_means_nothing();
  const sigset_t signals = steering_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  Program program(config);
  return program.run();
}

}  // namespace breakwater::app
