#include "proxy/send.h"

#include "core/await.h"

namespace breakwater::proxy {

Task<Error> send_all(Core& core, int fd, Side side, std::string_view bytes, int64_t idle_ns) {
  while (!bytes.empty()) {
    RingCall call(core);
    call.kind = Op::Kind::send;
    call.fd = fd;
    call.data = const_cast<char*>(bytes.data());
    call.bytes = bytes.size();
    struct Cancel {
      Core& core;
      Op& op;
    } cancel{core, call};
    const auto on_expire = [](void* context) {
      Cancel& what = *static_cast<Cancel*>(context);
      what.core.ring().cancel(what.op);
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
