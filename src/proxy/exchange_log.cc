// What is told of a request: the access log's line when it has ended, a row of /operations while it runs.
#include <algorithm>
#include <array>
#include <cerrno>
#include <tuple>

#include "proxy/access_log.h"
#include "proxy/exchange.h"
#include "proxy/report.h"
#include "tls/engine.h"
#include "wire/http_write.h"
#include "wire/uri.h"

namespace breakwater::proxy {

std::string_view name(Phase phase) noexcept {
  switch (phase) {
    case Phase::head:
      return "head";
    case Phase::queue:
      return "queue";
    case Phase::connect:
      return "connect";
    case Phase::request:
      return "request";
    case Phase::response_head:
      return "response_head";
    case Phase::response_body:
      return "response_body";
    case Phase::tunnel:
      return "tunnel";
    case Phase::done:
      return "done";
  }
  return "?";
}

// Who ended it, in words for the log.
std::string_view Exchange::ended_by() const noexcept {
  if (fault_ != wire::Fault::none && phase_ == Phase::head) return "client";
  if (failure_.code == Code::none) return upload_failed_ ? "server" : "done";
  switch (failure_.side) {
    case Side::downstream:
      return "client";
    case Side::upstream:
      return "server";
    case Side::internal:
      return "proxy";
  }
  return "done";
}

// Which key of the configuration ended it; empty if none did.
std::string_view Exchange::timeout_that_fired() const noexcept {
  if (failure_.code != Code::timed_out) return "";
  if (pace_fired_) return "client_pace";
  switch (phase_) {
    case Phase::head:
      return "head";
    case Phase::queue:
      return "queue_timeout";
    case Phase::connect:
      return "connect";
    case Phase::response_head:
      if (failure_.side == Side::downstream) return "idle";
      return wire::is_advertisement(git_.operation) ? "advertise" : "response";
    default:
      return "idle";
  }
}

// What is wrong with the request, if that is what ended it.
void Exchange::count_fault() noexcept {
  static_assert(wire::faults <= std::tuple_size_v<decltype(Stats::request_faults)>);
  const wire::Fault fault = phase_ == Phase::head ? fault_ : upload_.fault();
  if (fault != wire::Fault::none) core_.stats().request_faults[static_cast<size_t>(fault)].add();
}

void Exchange::write_log() noexcept {
  count_fault();
  if (config_.log.target == config::Log::Target::off) return;
  const int64_t now = core_.now_ns();
  const auto since = [](int64_t from, int64_t to) { return from > 0 && to > from ? to - from : 0; };
  std::array<char, 1024> target_room;
  std::array<char, 200> reason_room;
  wire::HeadWriter reason(reason_room);
  if (failure_.code != Code::none) {
    reason.text(name(failure_.side));
    reason.text(" ");
    reason.text(name(failure_.code));
  }
  if (fault_ != wire::Fault::none || upload_.fault() != wire::Fault::none) {
    if (reason.bytes() > 0) reason.text(": ");
    reason.text(wire::describe(fault_ != wire::Fault::none ? fault_ : upload_.fault()));
  } else if (upload_failed_) {
    reason.text("the server stopped reading the request");
  }
  if (const tls::Fault fault = session_.stream().fault(); fault && failure_.side == Side::downstream) {
    reason.text(": ");
    reason.text(tls::explain(fault.kind));
  }
  const bool by_tls = failure_.side == Side::upstream && failure_.sys_errno == EPROTO;
  if (by_tls && pool_ != nullptr && pool_->shared.tls != nullptr) {
    const tls::Fault fault =
        server_ ? server_->stream().fault() : pool_->connections[server_index_].tls_fault();
    if (fault) {
      reason.text(": TLS: ");
      reason.text(tls::explain(fault.kind));
    }
  }
  if (began_over_limit_) {
    if (reason.bytes() > 0) reason.text("; ");
    reason.text("began over max_clones: its wait was over, or the queue full");
  }
  AccessRecord record;
  record.time_ns = core_.realtime_ns();
  record.request_id = request_id();
  record.client = session_.peer_text();
  record.listener = session_.site().listen_name;
  if (const tls::Engine* const engine = session_.stream().engine()) {
    record.tls = engine->agreed().protocol;
    record.tls_suite = engine->agreed().suite;
    record.tls_name = engine->asked_name();
    record.tls_resumed = engine->agreed().is_resumed;
    if (engine->peer() != nullptr) record.tls_client = engine->peer()->subject;
  }
  if (parsed_) {
    record.method = request_.method_text;
    record.host = request_.authority;
    record.path = wire::redact_target(request_.target, target_room);
    record.user_agent = request_.fields.find("user-agent");
  }
  if (git_.operation != wire::GitOperation::other) {
    record.git = wire::name(git_.operation);
    record.git_protocol = git_.protocol_version;
    record.repository = git_.repository.view();
  }
  if (pool_ != nullptr) record.pool = pool_->shared.config.name;
  record.server = server_label_;
  record.status = status_;
  record.bytes_in = bytes_in();
  record.bytes_out = bytes_out();
  record.head_ns = since(times_.begun, times_.head);
  record.queue_ns = queued_ns_;
  record.queued_for = backends::name(queued_for_);
  record.connect_ns = since(times_.connect_begun, times_.connected);
  record.send_ns = since(times_.connected, times_.sent);
  record.first_byte_ns = since(times_.sent, times_.first_byte);
  record.total_ns = since(times_.begun, now);
  record.attempts = attempts_;
  record.reused = reused_;
  record.ended_by = ended_by();
  record.phase = name(phase_);
  record.timeout = timeout_that_fired();
  record.reason = {reason_room.data(), reason.bytes()};
  std::array<char, access_line_bytes_max> line;
  core_.log({line.data(), format_access_line(record, line)});
}

void Exchange::describe(OperationRow& row) const noexcept {
  const bool is_git = git_.operation != wire::GitOperation::other;
  row.id = request_id_;
  row.client.assign(session_.peer_text());
  row.pool = pool_ != nullptr ? pool_index_ : OperationRow::none;
  row.server = server_label_;
  row.is_git = is_git;
  row.operation = wire::name(git_.operation);
  row.phase = name(phase_);
  row.queued_for = backends::name(queued_for_);
  std::array<char, 1024> room;
  if (is_git)
    row.what.assign(git_.repository.view());
  else
    row.what.assign(parsed_ ? wire::redact_target(request_.path_query, room) : std::string_view());
  const int64_t now = core_.now_ns();
  row.age_ns = now - times_.begun;
  row.idle_ns = std::max<int64_t>(now - last_moved_ns(), 0);
  row.bytes_in = bytes_in();
  row.bytes_out = bytes_out();
  row.attempts = attempts_;
  if (waits_in_queue()) describe_wait(row);
}

}  // namespace breakwater::proxy
