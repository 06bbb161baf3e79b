#include "proxy/send.h"

#include "core/await.h"

namespace breakwater::proxy {

Task<Error> send_all(Core& core, tls::Stream& stream, Side side, std::string_view bytes, int64_t idle_ns) {
  while (!bytes.empty()) {
    tls::StreamCall call(stream);
    call.kind = Op::Kind::send;
    call.data = const_cast<char*>(bytes.data());
    call.bytes = bytes.size();
    struct Cancel {
      tls::Stream& stream;
      Op& op;
    } cancel{stream, call};
    const auto on_expire = [](void* context) {
      Cancel& what = *static_cast<Cancel*>(context);
      what.stream.cancel(what.op);
    };
    Deadline deadline(core, idle_ns > 0 ? core.now_ns() + idle_ns : 0, on_expire, &cancel);
    const int32_t sent = co_await call;
    if (sent < 0) {
      const Error error{deadline.expired() ? Code::timed_out : Code::reset, side, -sent};
      co_return error;
    }
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  const Error none;
  co_return none;
}

}  // namespace breakwater::proxy
