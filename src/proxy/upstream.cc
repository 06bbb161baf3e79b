#include "proxy/upstream.h"

#include <cerrno>

#include "core/await.h"
#include "ring/sys.h"
#include "tls/engine.h"

namespace breakwater::proxy {

using config::ns;

UpstreamConnection::UpstreamConnection(Core& core, UpstreamPool& pool, const ServerAddress& to,
                                       int fd) noexcept
    : pool_(pool),
      to_(to),
      stream_(core, fd),
      receiver_(core, core.answer_buffers()),
      idle_timer_(on_idle_timeout, this) {
  receiver_.attach(stream_);
}

// The server closed an idle connection, or said something that nobody asked for.
void UpstreamConnection::on_idle_receive(void* context) {
  UpstreamConnection& self = *static_cast<UpstreamConnection*>(context);
  self.pool_.left_idle(self);
  self.pool_.core_.stats().server_idle_closes.add();
  self.close(false);
}

void UpstreamConnection::on_idle_timeout(void* context) {
  UpstreamConnection& self = *static_cast<UpstreamConnection*>(context);
  self.pool_.left_idle(self);
  self.close(false);
}

void UpstreamConnection::close(bool reset) noexcept {
  idle_timer_.disarm();
  if (reset) reset_ = true;
  if (receiver_.busy()) {
    receiver_.set_hook(on_closed_receive, this);
    receiver_.cancel();
    return;
  }
  on_closed_receive(this);
}

void UpstreamConnection::on_closed_receive(void* context) {
  UpstreamConnection* const self = static_cast<UpstreamConnection*>(context);
  const int fd = self->stream_.fd();
  if (self->reset_)
    sys::reset_on_close(fd);
  else
    self->stream_.say_end();
  sys::close(fd);
  self->pool_.open_count_--;
  self->pool_.core_.stats().server_connections_open.subtract();
  delete self;
}

UpstreamLease& UpstreamLease::operator=(UpstreamLease&& other) noexcept {
  if (this == &other) return *this;
  finish(Ending::aborted);
  connection_ = std::exchange(other.connection_, nullptr);
  return *this;
}

void UpstreamLease::finish(Ending ending) noexcept {
  if (connection_ == nullptr) return;
  UpstreamConnection& connection = *std::exchange(connection_, nullptr);
  if (ending != Ending::aborted) connection.pool_.remember_session(connection);
  if (ending == Ending::reusable)
    connection.pool_.keep(connection);
  else
    connection.close(ending == Ending::aborted);
}

// What is idle leads elsewhere once the server does, and what was learnt of the old one says nothing.
void UpstreamPool::follow_server() noexcept {
  const ServerAddress* const now = server_.at();
  if (now == to_) return;
  to_ = now;
  session_ = {};
  close_idle();
  ends_packs_well_ = ended_one_badly_ = false;
}

UpstreamLease UpstreamPool::take_idle() noexcept {
  follow_server();
  // The one used last, so that those too many grow old. Under load its receive is of this very turn, and the
  // oldest one, whose receive the kernel has known for longer, saves the look.
  UpstreamConnection* const last = idle_.front();
  UpstreamConnection* const oldest = idle_.back();
  if (last != nullptr && !last->receiver_.listens() && oldest->receiver_.listens()) return take(*oldest);
  UpstreamConnection* next = nullptr;
  for (UpstreamConnection* connection = idle_.front(); connection != nullptr; connection = next) {
    next = idle_.after(*connection);
    if (connection->receiver_.landed()) continue;  // its hook is about to close it
    // Where the kernel could not have told us yet, we look.
    if (!connection->receiver_.listens() && !connection->stream_.is_silent()) {
      UpstreamConnection::on_idle_receive(connection);
      continue;
    }
    return take(*connection);
  }
  return {};
}

UpstreamLease UpstreamPool::take(UpstreamConnection& connection) noexcept {
  left_idle(connection);
  connection.receiver_.set_hook(nullptr, nullptr);
  connection.reused_ = true;
  core_.stats().server_reuses.add();
  return UpstreamLease(connection);
}

void UpstreamPool::left_idle(UpstreamConnection& connection) noexcept {
  connection.unlink();
  connection.idle_timer_.disarm();
  idle_count_--;
  core_.stats().server_connections_idle.subtract();
}

void UpstreamPool::keep(UpstreamConnection& connection) noexcept {
  const bool leads_elsewhere = &connection.to_ != server_.at();
  if (closed_ || leads_elsewhere || idle_count_ >= idle_max_) return connection.close(false);
  idle_.push_front(connection);
  idle_count_++;
  core_.stats().server_connections_idle.add();
  core_.timers().arm(connection.idle_timer_, core_.now_ns() + ns(timeouts_.server_idle));
  connection.receiver_.set_hook(UpstreamConnection::on_idle_receive, &connection);
  connection.receiver_.start(true);
}

Task<Result<UpstreamLease>> UpstreamPool::connect() {
  follow_server();
  const ServerAddress* const to = to_;
  BW_ASSERT(to != nullptr);  // only a server that is there is chosen
  core_.stats().server_connects.add();
  const int fd = sys::stream_socket(to->address);
  if (fd < 0) {
    const bool exhausted = fd == -EMFILE || fd == -ENFILE;
    co_return std::unexpected(Error{exhausted ? Code::no_descriptors : Code::refused, Side::internal, -fd});
  }
  RingCall call(core_);
  call.kind = Op::Kind::connect;
  call.fd = fd;
  call.address = &to->address.any;
  call.address_bytes = to->address.bytes;
  struct Cancel {
    Core& core;
    Op& op;
  } cancel{core_, call};
  const auto on_expire = [](void* context) {
    Cancel& what = *static_cast<Cancel*>(context);
    what.core.ring().cancel(what.op);
  };
  const int64_t limit = ns(timeouts_.connect);
  const int64_t due_ns = limit > 0 ? core_.now_ns() + limit : 0;
  Deadline deadline(core_, due_ns, on_expire, &cancel);
  const int32_t status = co_await call;
  if (status < 0) {
    sys::close(fd);
    core_.stats().server_connect_failures.add();
    if (deadline.expired()) {
      core_.stats().timeouts.add();
      co_return std::unexpected(Error{Code::timed_out, Side::upstream, ETIMEDOUT});
    }
    co_return std::unexpected(Error{Code::refused, Side::upstream, -status});
  }
  sys::tune_connection(fd);
  open_count_++;
  core_.stats().server_connections_open.add();
  UpstreamConnection* const connection = new UpstreamConnection(core_, *this, *to, fd);
  UpstreamLease lease(*connection);
  deadline.disarm();
  if (tls_ != nullptr) {
    const Error error = co_await shake_hands(*connection, due_ns);
    if (error.code != Code::none) co_return std::unexpected(error);
  }
  co_return Result<UpstreamLease>(std::move(lease));
}

Task<Error> UpstreamPool::shake_hands(UpstreamConnection& connection, int64_t due_ns) {
  const std::string_view name = tls_->name_of(connection.to_);
  const tls::Session session = std::exchange(session_, {});  // another connection may replace it meanwhile
  const tls::Shake shake = co_await connection.stream_.connect(tls_->current.get(), name, &session, due_ns);
  Error error;
  if (shake.done()) co_return error;
  tls_fault_ = shake.fault;
  core_.stats().server_tls_failures.add();
  error = {Code::refused, Side::upstream, EPROTO};
  if (shake.timed_out) {
    core_.stats().timeouts.add();
    error = {Code::timed_out, Side::upstream, ETIMEDOUT};
  }
  co_return error;
}

// A server's ticket comes with its first answer.
void UpstreamPool::remember_session(UpstreamConnection& connection) noexcept {
  const tls::Engine* const engine = connection.stream_.engine();
  if (engine == nullptr || connection.reused_ || &connection.to_ != to_) return;
  session_ = engine->session();
}

void UpstreamPool::close() noexcept {
  closed_ = true;
  close_idle();
}

void UpstreamPool::close_idle() noexcept {
  while (UpstreamConnection* const connection = idle_.front()) {
    left_idle(*connection);
    connection->close(false);
  }
}

}  // namespace breakwater::proxy
