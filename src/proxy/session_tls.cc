// A client's TLS handshake, and what is said of it.
#include <array>
#include <tuple>

#include "proxy/access_log.h"
#include "proxy/client_certificate.h"
#include "proxy/replies.h"
#include "proxy/session.h"
#include "ring/sys.h"
#include "tls/engine.h"
#include "wire/http_write.h"

namespace breakwater::proxy {

namespace {

constexpr Reply wrong_scheme{.status = 400,
                             .sentence = "this port speaks HTTPS, and your request came in the clear",
                             .advice = "use https:// in the URL"};

// What went wrong, for the log: "client old_protocol: no version of TLS in common".
size_t explain(const tls::Fault& fault, std::span<char> out) noexcept {
  wire::HeadWriter text(out);
  text.text("client ");
  text.text(tls::name(fault.kind));
  text.text(": ");
  text.text(tls::explain(fault.kind));
  if (fault.kind == tls::FaultKind::alert) {
    text.text(": ");
    text.text(tls::alert_name(fault.alert));
  }
  const std::string_view reason = tls::library_reason(fault);
  if (!reason.empty()) {
    text.text(" (");
    text.text(reason);
    text.text(")");
  }
  return text.bytes();
}

}  // namespace

Task<Session::Next> Session::shake_hands() {
  Core& core = worker_.core;
  const int64_t begun_ns = core.now_ns();
  const int64_t limit = config::ns(worker_.config.timeouts.tls_handshake);
  const tls::Shake shake = co_await stream_.accept(site_.tls->get(), worker_.handshakes, begun_ns + limit);
  if (stopped_ || (worker_.draining && shake.said_nothing)) co_return Next::close;
  if (shake.done()) {
    core.stats().tls_handshakes.add();
    if (stream_.engine()->agreed().is_resumed) core.stats().tls_resumed.add();
    if (stream_.takes_splices()) core.stats().tls_kernel.add();
    const tls::Certificate* const shown = stream_.engine()->peer();
    if (shown != nullptr && site_.tells_client_certificate)
      client_certificate_ = client_certificate_value(*shown);
    co_return Next::request;
  }
  if (shake.said_nothing && !shake.timed_out) co_return Next::close;  // who looks whether the port is open
  if (shake.timed_out)
    core.stats().timeouts.add();
  else
    count_tls_failure(shake.fault);
  log_handshake(shake, begun_ns);
  if (shake.fault.kind == tls::FaultKind::plain_http) answer_in_the_clear();
  linger_ = !shake.timed_out;  // so that what we said of it is read
  co_return Next::close;
}

void Session::count_tls_failure(const tls::Fault& fault) noexcept {
  static_assert(tls::fault_kinds <= std::tuple_size_v<decltype(Stats::tls_failures)>);
  worker_.core.stats().tls_failures[static_cast<size_t>(fault.kind)].add();
}

void Session::answer_in_the_clear() noexcept {
  std::array<char, 1024> room;
  const size_t bytes = write_reply(wrong_scheme, "", false, false, room);
  sys::send_now(stream_.fd(), room.data(), bytes, false);
}

// Nothing was asked for, so there is no request to log: the line says what could not begin.
void Session::log_handshake(const tls::Shake& shake, int64_t begun_ns) noexcept {
  if (worker_.config.log.target == config::Log::Target::off) return;
  Core& core = worker_.core;
  std::array<char, 200> room;
  AccessRecord record;
  record.time_ns = core.realtime_ns();
  record.client = peer_text();
  record.listener = site_.listen_name;
  record.tls_name = shake.asked_name;
  record.total_ns = core.now_ns() - begun_ns;
  record.ended_by = shake.timed_out ? "proxy" : "client";
  record.phase = "tls_handshake";
  if (shake.timed_out)
    record.timeout = "tls_handshake";
  else
    record.reason = {room.data(), explain(shake.fault, room)};
  std::array<char, access_line_bytes_max> line;
  core.log({line.data(), format_access_line(record, line)});
}

}  // namespace breakwater::proxy
