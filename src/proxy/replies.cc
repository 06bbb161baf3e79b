#include "proxy/replies.h"

#include <array>

#include "wire/http_write.h"

namespace breakwater::proxy {

Reply reply_to(wire::Fault fault) noexcept {
  Reply reply{wire::status_of(fault), "the client's request was refused and not forwarded", "", 0};
  reply.detail = wire::describe(fault);
  return reply;
}

Reply reply_to(const Error& error) noexcept {
  if (error.side == Side::upstream) {
    switch (error.code) {
      case Code::refused:
        return {502, "no Git server could be reached: the connection was refused or failed",
                "the servers behind this proxy may be down; try again, then tell its operator", 0};
      case Code::timed_out:
        return {504, "the Git server did not answer in time",
                "try again, then tell the operator of this proxy", 0};
      case Code::malformed:
        return {502, "the Git server sent an answer that is not valid HTTP",
                "tell the operator of this proxy", 0};
      case Code::too_large:
        return {502, "the Git server sent an answer whose head is too large",
                "tell the operator of this proxy", 0};
      default:
        return {502, "the Git server closed the connection before it answered", "try again", 0};
    }
  }
  if (error.side == Side::downstream) {
    switch (error.code) {
      case Code::timed_out:
        return {408, "the client did not send its request in time", "", 0};
      case Code::too_large:
        return {413, "the request body is larger than this proxy allows ([limits] body_bytes)",
                "push in smaller parts, or ask the operator to raise the limit", 0};
      default:
        return {400, "the request could not be read to its end", "", 0};
    }
  }
  return {503, "the proxy has no room for this request right now", "try again in a moment", 1};
}

size_t write_reply(const Reply& reply, std::string_view request_id, bool keep_alive, bool head_request,
                   std::span<char> out) noexcept {
  const std::string_view reason = wire::reason_phrase(reply.status);
  std::array<char, 1024> text;
  wire::HeadWriter body(text);
  body.text("breakwater: ");
  body.text(reply.sentence);
  if (!reply.detail.empty()) {
    body.text(": ");
    body.text(reply.detail);
  }
  body.text(".\n");
  if (!reply.advice.empty()) {
    body.text(reply.advice);
    body.text(".\n");
  }
  body.text("request id: ");
  body.text(request_id);
  body.text("\n");

  wire::HeadWriter head(out);
  head.status_line(reply.status, reason);
  head.field("Content-Type", "text/plain; charset=utf-8");
  head.field("Content-Length", body.bytes());
  head.field("Cache-Control", "no-store");
  head.field("X-Request-Id", request_id);
  if (!reply.location.empty()) head.field("Location", reply.location);
  if (reply.retry_after_s != 0) head.field("Retry-After", uint64_t{reply.retry_after_s});
  if (!keep_alive) head.field("Connection", "close");
  head.end_of_head();
  if (!head_request) head.text({text.data(), body.bytes()});
  return head.overflowed() || body.overflowed() ? 0 : head.bytes();
}

}  // namespace breakwater::proxy
