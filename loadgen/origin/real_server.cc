#include "origin/real_server.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <cstdio>
#include <cstring>
#include <exception>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include "origin/real_connection.h"

namespace breakwater::origin {
namespace {

constexpr size_t connections_max = 512;

[[noreturn]] void give_up(const std::string& sentence, int status) {
  std::fprintf(stderr, "breakwater-origin: %s\n", sentence.c_str());
  std::exit(status);
}

int listen_on(const RealOptions& options) {
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int failed = getaddrinfo(options.address.c_str(), options.port.c_str(), &hints, &found);
  const std::string where = options.address + ":" + options.port;
  if (failed != 0) give_up("cannot listen on " + where + ": " + gai_strerror(failed), 2);
  const int listener = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  // Connections inherit it: without it what a git writes in two pieces comes 40 ms later.
  setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (listener < 0 || bind(listener, found->ai_addr, found->ai_addrlen) != 0 || listen(listener, 1024) != 0) {
    give_up("cannot listen on " + where + ": " + std::strerror(errno), 1);
  }
  freeaddrinfo(found);
  return listener;
}

void say_where(int listener) {
  sockaddr_storage address{};
  socklen_t bytes = sizeof address;
  getsockname(listener, reinterpret_cast<sockaddr*>(&address), &bytes);
  char host[NI_MAXHOST];
  char port[NI_MAXSERV];
  getnameinfo(reinterpret_cast<sockaddr*>(&address), bytes, host, sizeof host, port, sizeof port,
              NI_NUMERICHOST | NI_NUMERICSERV);
  const char* form = address.ss_family == AF_INET6 ? "listening on [%s]:%s\n" : "listening on %s:%s\n";
  std::fprintf(stderr, form, host, port);
}

// Every open connection, each on its own thread. A socket is in the set exactly as long as it is open, so
// that end_all() never touches a descriptor that has been given to someone else.
class Connections {
 public:
  Connections(const Site& site, int wake) : site_(site), wake_(wake) {}

  bool full() {
    const std::scoped_lock lock(mutex_);
    return sockets_.size() >= connections_max;
  }

  void start(int socket) {
    {
      const std::scoped_lock lock(mutex_);
      sockets_.insert(socket);
    }
    try {
      std::thread(&Connections::serve, this, socket).detach();
    } catch (const std::system_error&) {
      end(socket);  // no more threads: this client is turned away, the others go on
    }
  }

  void end_all() {
    const std::scoped_lock lock(mutex_);
    for (const int socket : sockets_) shutdown(socket, SHUT_RDWR);
  }

  void wait_until_none() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return sockets_.empty(); });
  }

 private:
  void serve(int socket) {
    try {
      const auto connection = std::make_unique<Connection>(site_, socket);
      connection->run();
    } catch (const std::exception& failure) {
      std::fprintf(stderr, "breakwater-origin: a connection failed: %s\n", failure.what());
    }
    end(socket);
  }

  void end(int socket) {
    const uint64_t one = 1;
    const std::scoped_lock lock(mutex_);
    close(socket);
    sockets_.erase(socket);
    // Under the lock: after the last of these main() may be gone.
    if (write(wake_, &one, sizeof one) < 0) return;  // the counter is full: main() will wake anyway
    changed_.notify_all();
  }

  const Site& site_;
  const int wake_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::set<int> sockets_;
};

int serve_all(const RealOptions& options) {
  const Repositories repositories(options.root);
  GitProcesses processes;
  const Site site{repositories, processes, options.allow_push};

  // SIGTERM and SIGINT arrive as bytes on a descriptor; threads inherit the mask, git children do not.
  sigset_t ending;
  sigemptyset(&ending);
  sigaddset(&ending, SIGTERM);
  sigaddset(&ending, SIGINT);
  pthread_sigmask(SIG_BLOCK, &ending, nullptr);
  signal(SIGPIPE, SIG_IGN);
  const int signals = signalfd(-1, &ending, SFD_CLOEXEC);
  const int wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  const int listener = listen_on(options);
  say_where(listener);

  Connections connections(site, wake);
  while (true) {
    // At the bound new clients wait in the kernel's queue.
    pollfd waiting[3] = {{.fd = signals, .events = POLLIN, .revents = 0},
                         {.fd = wake, .events = POLLIN, .revents = 0},
                         {.fd = connections.full() ? -1 : listener, .events = POLLIN, .revents = 0}};
    if (poll(waiting, 3, -1) < 0 && errno != EINTR) give_up(std::string("poll: ") + std::strerror(errno), 1);
    if (waiting[0].revents != 0) break;
    if (waiting[1].revents != 0) {
      uint64_t ended = 0;
      if (read(wake, &ended, sizeof ended) < 0 && errno != EAGAIN) give_up(std::strerror(errno), 1);
    }
    if (waiting[2].revents == 0) continue;
    const int socket = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket >= 0) {
      connections.start(socket);
    } else if (errno == EMFILE || errno == ENFILE) {
      // Every descriptor is in use: wait for a connection to end, but look again soon.
      pollfd freed{.fd = wake, .events = POLLIN, .revents = 0};
      poll(&freed, 1, 100);
    }
  }

  close(listener);
  connections.end_all();
  processes.terminate_all();
  connections.wait_until_none();
  return 0;
}

}  // namespace

int serve_real(const RealOptions& options) {
  try {
    return serve_all(options);
  } catch (const std::exception& failure) {
    give_up(failure.what(), 1);
  }
}

}  // namespace breakwater::origin
