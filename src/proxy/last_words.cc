#include "proxy/last_words.h"

#include <utility>

#include "core/await.h"
#include "ring/sys.h"

namespace breakwater::proxy {

namespace {

// Cancels what waits for a client that takes nothing any more.
class Patience {
 public:
  Patience(Core& core, tls::Stream& stream, Op& op, int64_t idle_ns) noexcept
      : core_(core), stream_(stream), op_(op), idle_ns_(idle_ns), timer_(on_idle, this) {
    if (idle_ns > 0) core.timers().arm(timer_, core.now_ns() + idle_ns);
  }

 private:
  static void on_idle(void* context) {
    Patience& self = *static_cast<Patience*>(context);
    sys::PeerProgress progress;
    sys::peer_progress(self.stream_.fd(), progress);
    if (progress.taken == std::exchange(self.taken_, progress.taken)) return self.stream_.cancel(self.op_);
    self.core_.timers().arm(self.timer_, self.core_.now_ns() + self.idle_ns_);
  }

  Core& core_;
  tls::Stream& stream_;
  Op& op_;
  int64_t idle_ns_;
  uint64_t taken_ = 0;
  Timer timer_;
};

}  // namespace

Task<void> say_end(Core& core, tls::Stream& stream, int64_t idle_ns) {
  const msghdr* const last = stream.say_end();
  if (last == nullptr) co_return;
  tls::StreamCall call(stream);
  call.kind = Op::Kind::send_message;
  call.message = last;
  const Patience patience(core, stream, call, idle_ns);
  co_await call;
}

}  // namespace breakwater::proxy
