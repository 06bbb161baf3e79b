// The life of a client connection, top to bottom.
#include "proxy/session.h"

#include <poll.h>

#include <algorithm>
#include <cerrno>

#include "core/await.h"
#include "proxy/exchange.h"
#include "proxy/last_words.h"
#include "proxy/limits.h"
#include "proxy/replies.h"
#include "proxy/send.h"
#include "ring/sys.h"

namespace breakwater::proxy {

using config::ns;

namespace {

void cancel_receiver(void* receiver) {
  static_cast<Receiver*>(receiver)->cancel();
}

// Ends the wait for a head when its time is over, or earlier if it is begun, not whole for long, and others
// wait for the buffer that it stands in. A crowd of clients that begin a head and never finish it would stop
// all others for as long as a head may take.
class HeadDeadline {
 public:
  // `begun_ns`: 0 if nothing of it is there, so that it holds no buffer.
  HeadDeadline(Core& core, Receiver& receiver, int64_t end_ns, int64_t begun_ns) noexcept
      : core_(core), receiver_(receiver), end_ns_(end_ns), timer_(on_time, this) {
    core_.timers().arm(timer_, begun_ns > 0 ? std::min(end_ns, begun_ns + head_patience_ns) : end_ns);
  }
  HeadDeadline(const HeadDeadline&) = delete;
  HeadDeadline& operator=(const HeadDeadline&) = delete;
  bool expired() const noexcept { return expired_; }

 private:
  static void on_time(void* context) {
    HeadDeadline& self = *static_cast<HeadDeadline*>(context);
    const int64_t now = self.core_.now_ns();
    self.expired_ = now >= self.end_ns_ || self.receiver_.inbox().is_in_the_way();
    if (self.expired_)
      self.receiver_.cancel();
    else
      self.core_.timers().arm(self.timer_, std::min(self.end_ns_, now + look_for_waiters_every_ns));
  }

  Core& core_;
  Receiver& receiver_;
  const int64_t end_ns_;
  bool expired_ = false;
  Timer timer_;
};

// The network that a client is counted with.
uint64_t network_of(const Address& client) noexcept {
  const std::string_view bytes = client.ip_bytes();
  return backends::hash(bytes.substr(0, bytes.size() == 4 ? network_bytes_of_ipv4 : network_bytes_of_ipv6),
                        false);
}

wire::HeadLimits head_limits(const config::Config& config) {
  return {config.limits.head_bytes, config.limits.target_bytes};
}

}  // namespace

Session::Session(Worker& worker, const Site& site, int fd, bool refuse) noexcept
    : worker_(worker),
      site_(site),
      stream_(worker.core, fd),
      refuse_(refuse),
      receiver_(worker.core, worker.core.head_buffers()),
      scanner_(head_limits(worker.config)),
      gone_ended_(worker.core) {
  worker_.sessions.push_back(*this);
  worker_.session_count++;
  worker_.core.stats().connections_open.add();
  receiver_.attach(stream_);
  Address peer;
  sys::peer_address(fd, peer);
  peer_text_ = AddressText(peer);
  peer_is_trusted_ = contains(site.trusted, peer);
  peer_network_ = network_of(peer);
  peer_hash_ = backends::hash(peer_host(), false);
}

Session::~Session() {
  unlink();
  worker_.session_count--;
  worker_.core.stats().connections_open.subtract();
}

Task<void> Session::run(Session* session) {
  Next next = Next::request;
  if (session->site_.tls != nullptr) next = co_await session->shake_hands();
  while (next == Next::request) {
    next = co_await session->read_head();
    if (next == Next::request) next = co_await session->serve();
  }
  co_await session->linger();
  co_await session->close();
  delete session;
}

// Reads until a whole head stands in the inbox. An idle client is left in peace for `keep_alive`; one that
// began a head has `head` to finish it, and less if others wait for its buffer.
Task<Session::Next> Session::read_head() {
  const config::Timeouts& timeouts = worker_.config.timeouts;
  scanner_.reset();
  Inbox& inbox = receiver_.inbox();
  head_begun_ns_ = worker_.core.now_ns();
  const int64_t idle_since_ns = head_begun_ns_;
  IdleClient idle_client(receiver_, idle_since_ns);
  for (;;) {
    if (!inbox.empty()) {
      const wire::HeadScanner::State state = scanner_.scan(inbox.view());
      if (state == wire::HeadScanner::State::complete) co_return Next::request;
      if (state == wire::HeadScanner::State::refused) {
        co_await refuse_head(scanner_.fault());
        co_return Next::close;
      }
    }
    const bool idle = inbox.empty();
    if (stopped_ || worker_.draining) {
      head_ended(-ECANCELED);
      co_return Next::close;
    }
    const config::Duration limit = idle ? timeouts.keep_alive : timeouts.head;
    const int64_t since_ns = idle ? idle_since_ns : head_begun_ns_;
    receiver_.start(idle && served_);  // a new client has most often sent its request already
    waits_for_request_ = true;
    HeadDeadline deadline(worker_.core, receiver_, since_ns + ns(limit), idle ? 0 : since_ns);
    if (idle) worker_.idle_clients.push_back(idle_client);
    co_await receiver_.arrived;
    idle_client.unlink();
    waits_for_request_ = false;
    if (receiver_.result() > 0) {
      if (idle) head_begun_ns_ = worker_.core.now_ns();
      continue;
    }
    if (deadline.expired() && !stopped_) {
      worker_.core.stats().timeouts.add();
      if (!idle) co_await head_timed_out();
    } else {
      head_ended(receiver_.result());
    }
    co_return Next::close;
  }
}

Task<Session::Next> Session::serve() {
  Exchange exchange(*this);
  exchange_ = &exchange;
  const bool again = co_await exchange.run(scanner_.start(), scanner_.end());
  exchange_ = nullptr;
  served_ = true;
  // After a reply that could not be sent, an answer to the next request would be taken for its own.
  if (again && !worker_.draining && !stopped_ && !reset_) co_return Next::request;
  // What the client sends behind its request, were it only an empty line or TLS's close_notify, would turn
  // the close into a reset.
  if (!is_cut_) linger_ = true;
  co_return Next::close;
}

// A head that no server may see.
Task<void> Session::refuse_head(wire::Fault fault) {
  Exchange exchange(*this);
  co_await exchange.refuse_head(fault);
}

Task<void> Session::head_timed_out() {
  Exchange exchange(*this);
  co_await exchange.refuse_late_head();
}

// The client left, or is made to. It may be inside a head; an empty line in front of one is none.
void Session::head_ended(int32_t result) noexcept {
  if (receiver_.inbox().view().size() <= scanner_.start()) return;
  const bool stopped = stopped_ || worker_.draining;
  Error why{result == 0 ? Code::closed : Code::reset, Side::downstream, -result};
  if (stopped) why = {Code::cancelled, Side::internal, 0};
  Exchange exchange(*this);
  exchange.end_in_head(why);
}

Task<bool> Session::reply(const Reply& reply, std::string_view request_id, bool keep_alive, bool head_request,
                          uint64_t& body_bytes) {
  if (!keep_alive) linger_ = true;
  const HeadRoom::Lease room = worker_.core.head_room().acquire();
  if (!room) {  // not even room to say so
    reset_ = true;
    co_return false;
  }
  const size_t bytes = write_reply(reply, request_id, keep_alive, head_request, room.span());
  const std::string_view message(room.span().data(), bytes);
  const int64_t idle_ns = ns(worker_.config.timeouts.idle);
  const Error error = co_await send_all(worker_.core, stream_, Side::downstream, message, idle_ns);
  if (error.code != Code::none) {
    reset_ = true;
    co_return false;
  }
  constexpr std::string_view end_of_head = "\r\n\r\n";
  body_bytes = bytes - message.find(end_of_head) - end_of_head.size();
  co_return true;
}

// RFC 9112 §9.6: closing a socket with unread bytes sends a reset, and a reset can destroy the answer before
// the client has read it. So say that we are done, then read and drop what still comes, for a bounded time.
Task<void> Session::linger() {
  if (!linger_ || reset_ || stopped_) co_return;
  co_await say_end(worker_.core, stream_, ns(worker_.config.timeouts.idle));
  sys::shutdown_write(stream_.fd());
  const int64_t limit = ns(worker_.config.timeouts.linger);
  Deadline deadline(worker_.core, worker_.core.now_ns() + limit, cancel_receiver, &receiver_);
  IdleClient idle_client(receiver_, 0);
  if (!refuse_) worker_.idle_clients.push_front(idle_client);  // who was refused has no place to give away
  uint64_t dropped = 0;
  while (!deadline.expired() && dropped < linger_bytes_max && limit > 0) {
    receiver_.inbox().clear();
    receiver_.start(false);
    co_await receiver_.arrived;
    if (receiver_.result() <= 0) break;
    dropped += static_cast<uint64_t>(receiver_.result());
  }
}

// Ask, join, free.
Task<void> Session::close() {
  closing_ = true;
  if (receiver_.busy()) {
    receiver_.cancel();
    co_await receiver_.arrived;
  }
  if (gone_.in_flight) {
    worker_.core.ring().cancel(gone_);
    co_await gone_ended_;
  }
  receiver_.inbox().clear();
  if (stream_.fault()) count_tls_failure(stream_.fault());
  const int fd = stream_.fd();
  if (!reset_ && !linger_ && !is_cut_)
    co_await say_end(worker_.core, stream_, ns(worker_.config.timeouts.idle));
  co_await stream_.leave();
  if (reset_) {
    sys::reset_on_close(fd);
  } else {
    if (answer_is_held_ && !linger_)
      sys::shutdown_write(fd);  // sends it: a close with unread bytes would throw it away
  }
  sys::close(fd);
}

// Hears of the client's end while nobody reads from it, and then of its break. Armed once for the life of the
// connection.
void Session::watch() noexcept {
  if (half_closed_ && exchange_ != nullptr) exchange_->client_ended(false);
  if (watches()) return;
  gone_.kind = Op::Kind::poll_gone;
  gone_.fd = stream_.fd();
  gone_.context = this;
  gone_.on_complete = on_gone;
  worker_.core.ring().submit(gone_);
}

void Session::on_gone(Op& op) {
  Session& self = *static_cast<Session*>(op.context);
  if (!op.more) self.gone_ended_.set();
  if (self.closing_ || op.result < 0) return;
  const bool broken = (op.result & (POLLERR | POLLHUP)) != 0;
  if (!broken) self.half_closed_ = true;
  if (self.exchange_ != nullptr) self.exchange_->client_ended(broken);
}

void Session::drain() noexcept {
  if (waits_for_request_) receiver_.cancel();
  stream_.stop_if_unheard();
}

void Session::stop_now() noexcept {
  stopped_ = true;
  reset_ = true;
  if (exchange_ != nullptr) exchange_->fail({Code::cancelled, Side::internal, 0});
  sys::abort_connection(stream_.fd());
  stream_.stop_handshake();
  receiver_.cancel();
}

}  // namespace breakwater::proxy
