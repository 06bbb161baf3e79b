// What a listener that only leads to another one says (config::Listen::redirect).
#include "proxy/exchange.h"
#include "proxy/replies.h"
#include "wire/http_write.h"
#include "wire/uri.h"

namespace breakwater::proxy {

namespace {

constexpr Reply elsewhere{301, "this port leads to HTTPS", "use https:// in the URL"};
constexpr Reply refusal{
    403, "this port leads to HTTPS, but only what reads a page or begins a fetch is sent there",
    "use https:// in the URL; whatever you sent may have been read on the way"};

// Git follows a redirection of info/refs and asks for the rest there. What carries a body is not sent
// anywhere in the clear, and not twice.
bool may_be_sent(const wire::RequestHead& request, wire::GitOperation operation) noexcept {
  const bool reads = request.method == wire::Method::get || request.method == wire::Method::head;
  return reads && (operation == wire::GitOperation::other || wire::is_advertisement(operation));
}

}  // namespace

Task<void> Exchange::redirect(std::string_view to) {
  const HeadRoom::Lease room = core_.head_room().acquire();
  Reply reply = refusal;
  const bool names_host = to != "https";
  if (room && may_be_sent(request_, git_.operation) && (names_host || !request_.authority.empty())) {
    wire::HeadWriter location(room.span());
    location.text(names_host ? to : "https://");
    if (!names_host) location.text(wire::without_port(request_.authority));
    location.text(request_.path_query);
    reply = elsewhere;
    reply.location = {room.span().data(), location.bytes()};
  }
  co_await answer(reply, false);
}

}  // namespace breakwater::proxy
