// A client that hardly takes its answer, or hardly gives its request: who is waited for, and for how long
// that is borne.
#include <algorithm>

#include "proxy/exchange.h"
#include "ring/sys.h"

namespace breakwater::proxy {

// The body that nothing but the client can hold up, whatever it waits for right now; null if there is none. A
// client may be silent in a tunnel, while it hears an answer, and as long as it was promised 100 Continue.
const Pump* Exchange::waits_for_client() const noexcept {
  if (download_.running()) return &download_;
  if (!upload_.running() || tunnel_) return nullptr;
  const bool waits_for_leave = request_.expects_continue && !continue_sent_ && upload_.payload_bytes() == 0;
  return waits_for_leave ? nullptr : &upload_;
}

// What the client's TCP took or gave is asked of the kernel, once in a window: our own sends would not do.
// They go into a buffer that may hold megabytes, and hear of room when a third of it is free. What short
// requests do is never asked.
void Exchange::mind_the_client(int64_t& next_ns) noexcept {
  if (config_.timeouts.client_pace == 0) return;
  const int64_t look_again_ns = config::ns(config_.timeouts.client_pace_window) / 4;
  next_ns = std::min(next_ns, core_.now_ns() + look_again_ns);
  const Pump* const pump = waits_for_client();
  if (pump != paced_) pace_.forget();
  paced_ = pump;
  if (pump == nullptr) return;
  const bool takes = pump == &download_;
  const int64_t waited_ns = takes ? pump->waited_for_sink_ns() : pump->waited_for_source_ns();
  if (waited_ns == 0) return;
  if (pace_.begun() && pace_.left_ns(waited_ns) > 0) {
    next_ns = std::min(next_ns, core_.now_ns() + pace_.left_ns(waited_ns));
    return;
  }
  // Many short waits may be our own turns of the loop: the client must be waited for now.
  if (pace_.begun() && !(takes ? pump->waits_for_sink() : pump->waits_for_source())) return;
  sys::PeerProgress progress;
  if (!sys::peer_progress(session_.stream().fd(), progress)) return;
  const ClientPace::Reading reading{waited_ns, takes ? progress.taken : progress.given};
  if (!pace_.begun() || pace_.is_kept(reading)) return pace_.begin(reading);
  core_.stats().timeouts.add();
  core_.stats().slow_clients.add();
  pace_fired_ = true;
  fail({Code::timed_out, Side::downstream, 0});
}

}  // namespace breakwater::proxy
