#include "proxy/beat.h"

#include <algorithm>

namespace breakwater::proxy {

void Beat::look_every(int64_t interval_ns, Look look, void* context) noexcept {
  look_every_ns_ = interval_ns;
  look_ = look;
  look_context_ = context;
}

void Beat::set(int64_t due_ns) noexcept {
  if (stopped_) return;  // and struck
  struck.clear();
  due_ns_ = due_ns;
  arm();
}

void Beat::stop() noexcept {
  stopped_ = true;
  timer_.disarm();
  struck.set();
}

void Beat::arm() noexcept {
  const int64_t look_ns = look_every_ns_ > 0 ? core_.now_ns() + look_every_ns_ : due_ns_;
  core_.timers().arm(timer_, std::min(due_ns_, look_ns));
}

void Beat::on_timer(void* context) {
  Beat& self = *static_cast<Beat*>(context);
  const bool is_due = self.core_.now_ns() >= self.due_ns_;
  if (is_due || self.look_(self.look_context_))
    self.struck.set();
  else
    self.arm();
}

}  // namespace breakwater::proxy
