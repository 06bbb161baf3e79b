// bench_client: the load in bench/compare. Sends requests over some connections for a while, checks that
// every answer is complete, and prints one line of JSON: how much, how long each took, what went wrong. One
// thread, epoll.
//
// A closed loop (the default) sends a connection's next request when its answer is there: that shows
// capacity. With --rate the loop is open: requests are due at fixed times whatever the answers do, and a
// request's latency counts from when it was due, so that a stall is charged to all requests that it held up
// and not only to the one that met it.
//
// bench_client --help lists the options.
#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/histogram.h"
#include "channel.h"
#include "message.h"
#include "options.h"
#include "sockets.h"
#include "tls.h"

namespace breakwater::bench {
namespace {

constexpr uint64_t ns_per_second = 1'000'000'000;
// With an open loop, how long after the end we wait for answers to requests that were due before it.
constexpr uint64_t grace_ns = ns_per_second;
// Past so many something is plainly wrong, and going on would only measure how fast it fails.
constexpr uint64_t failures_max = 1000;

struct Failures {
  uint64_t connection = 0;  // refused, reset, or no HTTP
  uint64_t ended = 0;       // before the answer was complete
  uint64_t status = 0;      // not 200
  uint64_t length = 0;      // complete, but not of the length it should have
  uint64_t early = 0;       // an answer while the request was still being sent
  uint64_t handshake = 0;   // of TLS
  uint64_t truncated = 0;   // TLS that ended without a close_notify before the answer was complete

  uint64_t sum() const noexcept {
    return connection + ended + status + length + early + handshake + truncated;
  }
};

struct Connection {
  enum class Phase : uint8_t {
    free,    // open, nothing asked
    busy,    // from the first byte of a request to the last of its answer
    ending,  // the answer is complete and the server is about to close
    broken,  // closed after a failure
  };
  int fd = -1;
  Phase phase = Phase::free;
  bool waits_to_send = false;  // what epoll was told
  uint64_t due_ns = 0;         // when the request was sent, or should have been
  std::unique_ptr<Channel> channel;
  TlsSession session;  // of the connection before, if we come back with it
  Outgoing request;
  Incoming answer;
};

// What had happened up to a moment.
struct Totals {
  uint64_t at_ns = 0;
  uint64_t requests = 0;
  uint64_t received = 0;  // payload
  uint64_t sent = 0;      // payload
  uint64_t handshakes = 0, resumed = 0;
};

class Client {
 public:
  explicit Client(const Options& options)
      : options_(options), epoll_(new_epoll()), connections_(options.connections) {
    if (options.tls.on) tls_.emplace(options.tls);
    head_ = fmt::format(
        "{} {} HTTP/1.1\r\nHost: git.example\r\nUser-Agent: git/2.39.5\r\nAccept: */*\r\n"
        "Accept-Encoding: deflate, gzip\r\n{}",
        options.method, options.path, options.fields);
    if (options.churn) head_ += "Connection: close\r\n";
    if (!options.body.empty()) {
      head_ += fmt::format("Content-Length: {}\r\n\r\n{}", options.body.size(), options.body);
    } else if (options.body_chunk_bytes != 0) {
      head_ += "Transfer-Encoding: chunked\r\n\r\n";
    } else if (options.method == "POST") {
      head_ += fmt::format("Content-Length: {}\r\n\r\n", options.body_bytes);
    } else {
      head_ += "\r\n";
    }
  }

  void run() {
    start_ns_ = monotonic_ns();
    const uint64_t warm_up_ns = uint64_t(options_.warm_up_seconds * ns_per_second);
    begin_ns_ = options_.begin_ns != 0 ? options_.begin_ns : start_ns_ + warm_up_ns;
    end_ns_ = begin_ns_ + uint64_t(options_.seconds * ns_per_second);
    for (Connection& connection : connections_) open(connection);

    while (!gave_up() && turn()) {
    }
    if (end_.at_ns == 0) end_ = totals();
    if (begin_.at_ns == 0) begin_ = end_;
    if (open_loop()) give_up_on_the_rest();
    print();
  }

 private:
  bool open_loop() const noexcept { return options_.rate > 0; }
  bool gave_up() const noexcept {
    return failures_.sum() > failures_max || done_.requests >= options_.requests_max;
  }
  uint64_t due_at(uint64_t number) const noexcept {
    return start_ns_ + uint64_t(double(number) * ns_per_second / options_.rate);
  }
  bool is_measured(uint64_t due_ns) const noexcept { return due_ns >= begin_ns_ && due_ns < end_ns_; }

  // One wait and what it brought. False once it is over.
  bool turn() {
    const uint64_t now = monotonic_ns();
    if (begin_.at_ns == 0 && now >= begin_ns_) begin_ = totals();
    if (end_.at_ns == 0 && now >= end_ns_) end_ = totals();
    uint64_t wake_ns = begin_.at_ns == 0 ? begin_ns_ : end_ns_;
    if (end_.at_ns != 0) {
      if (!open_loop() || is_answered() || now >= end_ns_ + grace_ns) return false;
      wake_ns = end_ns_ + grace_ns;
    }
    if (open_loop()) {
      send_what_is_due(now);
      if (!free_.empty()) wake_ns = std::min(wake_ns, due_at(next_));
    }
    const uint64_t wait_ns = wake_ns > now ? wake_ns - now : 0;
    const timespec wait{.tv_sec = time_t(wait_ns / ns_per_second), .tv_nsec = long(wait_ns % ns_per_second)};
    std::array<epoll_event, 256> events;
    const int count = epoll_pwait2(epoll_, events.data(), int(events.size()), &wait, nullptr);
    for (int i = 0; i < count; ++i)
      advance(connections_[events[size_t(i)].data.u32], events[size_t(i)].events);
    // Only now: a server that refuses would otherwise have fail() call itself without end.
    for (const uint32_t id : std::exchange(broken_, {})) open(connections_[id]);
    return true;
  }

  // Every request of an open loop that was due while we measured.
  bool is_answered() const noexcept {
    return due_at(next_) >= end_ns_ && measured_ + failed_measured_ == due_measured_;
  }

  void send_what_is_due(uint64_t now) {
    while (!free_.empty() && due_at(next_) <= std::min(now, end_ns_)) {
      Connection& connection = connections_[free_.front()];
      free_.pop_front();
      if (is_measured(due_at(next_))) ++due_measured_;
      start_request(connection, due_at(next_));
      ++next_;
    }
  }

  uint32_t id_of(const Connection& connection) const noexcept {
    return uint32_t(&connection - connections_.data());
  }

  void open(Connection& connection) {
    connection.fd = new_socket();
    connection.channel = new_channel(connection);
    connection.waits_to_send = false;
    const uint64_t now = monotonic_ns();
    // In progress or refused: the first send() tells.
    (void)connect(connection.fd, reinterpret_cast<const sockaddr*>(&options_.server), sizeof options_.server);
    watch(epoll_, connection.fd, id_of(connection), EPOLLIN);
    ++connects_;
    become_free(connection, now);
  }

  std::unique_ptr<Channel> new_channel(Connection& connection) {
    if (!tls_) return std::make_unique<PlainChannel>(connection.fd);
    return std::make_unique<TlsChannel>(*tls_, connection.fd, connection.session.get());
  }

  void reopen(Connection& connection) {
    if (options_.tls.resume) connection.session = static_cast<TlsChannel&>(*connection.channel).session();
    close(connection.fd);
    open(connection);
  }

  void become_free(Connection& connection, uint64_t now) {
    connection.phase = Connection::Phase::free;
    if (open_loop()) {
      free_.push_back(id_of(connection));
    } else if (end_.at_ns == 0 && !gave_up()) {
      start_request(connection, now);
    }
  }

  void start_request(Connection& connection, uint64_t due_ns) {
    connection.phase = Connection::Phase::busy;
    connection.due_ns = due_ns;
    connection.answer.restart();
    if (options_.body_chunk_bytes != 0) {
      connection.request.start_chunked(head_, options_.body_chunk_bytes, options_.body_bytes);
    } else {
      connection.request.start_with_length(head_, options_.body_bytes);
    }
    send_request(connection);
  }

  void send_request(Connection& connection) {
    const Progress progress = connection.request.send(*connection.channel);
    if (progress == Progress::broken) return fail(connection, kind_of_break(connection));
    const bool waits_to_send = connection.channel->waits_to_send(progress == Progress::more);
    if (waits_to_send != connection.waits_to_send) {
      connection.waits_to_send = waits_to_send;
      rewatch(epoll_, connection.fd, id_of(connection), waits_to_send ? EPOLLIN | EPOLLOUT : EPOLLIN);
    }
  }

  uint64_t& kind_of_break(const Connection& connection) noexcept {
    switch (connection.channel->trouble()) {
      case Channel::Trouble::handshake:
        return failures_.handshake;
      case Channel::Trouble::truncated:
        return failures_.truncated;
      case Channel::Trouble::none:
        break;
    }
    return failures_.connection;
  }

  void fail(Connection& connection, uint64_t& kind) {
    ++kind;
    failed_measured_ += is_measured(connection.due_ns);
    close(connection.fd);
    connection.session.reset();
    connection.phase = Connection::Phase::broken;
    broken_.push_back(id_of(connection));
  }

  void advance(Connection& connection, uint32_t events) {
    switch (connection.phase) {
      case Connection::Phase::free:
      case Connection::Phase::ending:
        // Nothing may come here but the end.
        if ((events & EPOLLERR) == 0 && !connection.channel->at_end()) return;
        std::erase(free_, id_of(connection));
        if ((events & EPOLLERR) != 0) return fail(connection, failures_.connection);
        return reopen(connection);
      case Connection::Phase::busy:
        if ((events & ~uint32_t{EPOLLOUT}) != 0) {
          if (!connection.request.busy()) return receive(connection);
          if ((events & EPOLLIN) != 0 && connection.channel->speaks())
            return fail(connection, failures_.early);
        }
        return send_request(connection);
      case Connection::Phase::broken:
        return;  // an event of before it was closed
    }
  }

  void receive(Connection& connection) {
    const bool head_was_complete = connection.answer.head_complete();
    const Progress progress = connection.answer.read(*connection.channel);
    if (!head_was_complete && connection.answer.head_complete() &&
        !connection.answer.start_line().starts_with("HTTP/1.1 200")) {
      return fail(connection, failures_.status);
    }
    if (progress == Progress::more) return;
    if (progress == Progress::ended) return fail(connection, failures_.ended);
    if (progress == Progress::broken) return fail(connection, kind_of_break(connection));
    finish(connection);
  }

  // The answer is complete.
  void finish(Connection& connection) {
    const uint64_t bytes = connection.answer.payload();
    if (options_.answer_bytes != 0 && bytes != options_.answer_bytes)
      return fail(connection, failures_.length);
    const uint64_t now = monotonic_ns();
    const bool measured = open_loop() ? is_measured(connection.due_ns) : begin_.at_ns != 0 && end_.at_ns == 0;
    if (measured) {
      latency_ns_.record(now - connection.due_ns);
      ++measured_;
    }
    ++done_.requests;
    done_.received += bytes;
    done_.sent += connection.request.payload_sent();
    const bool ended = connection.answer.framing() == Incoming::Framing::until_close;
    const auto wish = connection.answer.field("connection:");
    const bool ends = options_.churn || (wish && *wish == "close");
    connection.answer.restart();
    if (ended) {
      reopen(connection);
    } else if (ends) {
      connection.phase = Connection::Phase::ending;
    } else {
      become_free(connection, now);
    }
  }

  // What is under way counts with the part that has moved.
  Totals totals() const noexcept {
    Totals sum = done_;
    sum.at_ns = monotonic_ns();
    if (tls_) {
      sum.handshakes = tls_->handshakes();
      sum.resumed = tls_->resumed();
    }
    for (const Connection& connection : connections_) {
      if (connection.phase != Connection::Phase::busy) continue;
      sum.received += connection.answer.payload();
      sum.sent += connection.request.payload_sent();
    }
    return sum;
  }

  // Requests of an open loop that were due and have no answer, whether they could be sent or not: they took
  // at least as long as we waited.
  void give_up_on_the_rest() {
    const uint64_t now = monotonic_ns();
    for (const Connection& connection : connections_) {
      if (connection.phase != Connection::Phase::busy || !is_measured(connection.due_ns)) continue;
      latency_ns_.record(now - connection.due_ns);
      ++unfinished_;
    }
    for (; due_at(next_) < end_ns_; ++next_) {
      if (!is_measured(due_at(next_))) continue;
      latency_ns_.record(now - due_at(next_));
      ++unfinished_;
    }
  }

  void print() const {
    const auto us = [&](double quantile) { return double(latency_ns_.value_at(quantile)) / 1000; };
    const double seconds = double(end_.at_ns - begin_.at_ns) / ns_per_second;
    fmt::print(
        "{{\"seconds\": {:.6f}, \"requests\": {}, \"received_bytes\": {}, \"sent_bytes\": {}, "
        "\"connects\": {}, \"handshakes\": {}, \"resumed\": {}, \"tls\": \"{}\", \"unfinished\": {}, "
        "\"latency_us\": {{\"p50\": {:.1f}, \"p90\": {:.1f}, \"p99\": {:.1f}, \"p99_9\": {:.1f}, "
        "\"max\": {:.1f}}}, "
        "\"failures\": {{\"connection\": {}, \"ended\": {}, \"status\": {}, \"length\": {}, \"early\": {}, "
        "\"handshake\": {}, \"truncated\": {}}}}}\n",
        seconds, open_loop() ? measured_ : end_.requests - begin_.requests, end_.received - begin_.received,
        end_.sent - begin_.sent, connects_, end_.handshakes - begin_.handshakes,
        end_.resumed - begin_.resumed, tls_ ? tls_->agreed() : "", unfinished_, us(0.5), us(0.9), us(0.99),
        us(0.999), us(1), failures_.connection, failures_.ended, failures_.status, failures_.length,
        failures_.early, failures_.handshake, failures_.truncated);
  }

  const Options& options_;
  const int epoll_;
  std::optional<Tls> tls_;  // must outlive connections
  std::string head_;
  std::vector<Connection> connections_;
  std::deque<uint32_t> free_;     // of an open loop: connections without a request, the longest free first
  std::vector<uint32_t> broken_;  // closed after a failure, to be opened again
  uint64_t start_ns_ = 0, begin_ns_ = 0, end_ns_ = 0;
  uint64_t next_ = 0;  // of an open loop: the number of the next request
  Totals done_, begin_, end_;
  Failures failures_;
  Histogram latency_ns_;
  uint64_t due_measured_ = 0;     // requests of an open loop that were due while we measured, and sent
  uint64_t measured_ = 0;         // answers that count
  uint64_t failed_measured_ = 0;  // failures that would
  uint64_t unfinished_ = 0;
  uint64_t connects_ = 0;
};

}  // namespace
}  // namespace breakwater::bench

int main(int argc, char** argv) {
  const auto options = breakwater::bench::parse_options(argc, argv);
  breakwater::bench::Client(options).run();
  return 0;
}
