// The simulated kernel, without faults.
#include <vector>

#include "sim/behaviour/machine.h"
#include "sim/kernel.h"

namespace breakwater::behaviour {

struct Machine::Impl {
  sim::Kernel kernel{1, sim::Faults{}};
  std::vector<sim::End*> ends;
  std::vector<int> accepted;  // by the far side, and not taken yet
  uint16_t ports = 5000;
  int keep(sim::End* end) {
    ends.push_back(end);
    return static_cast<int>(ends.size() - 1);
  }
  sim::End& end(int far) { return *ends[static_cast<size_t>(far)]; }
  Address address() {
    Address address;
    address.bytes = sizeof(sockaddr_in);
    address.v4.sin_family = AF_INET;
    address.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.set_port(ports++);
    return address;
  }
};

Machine::Machine() : impl_(std::make_unique<Impl>()) {}
Machine::~Machine() = default;

void Machine::fix_room(int) {}  // it never grows
bool Machine::is_stuck(int) {
  return true;  // after settle()
}

void Machine::settle() {
  sim::Kernel& kernel = impl_->kernel;
  while (kernel.next_event_ns() >= 0) {
    kernel.jump_to(kernel.next_event_ns());
    kernel.run_events();
  }
}

Address Machine::far_listener() {
  const Address address = impl_->address();
  impl_->kernel.listen(address, [this](sim::End* end) { impl_->accepted.push_back(impl_->keep(end)); });
  return address;
}
Address Machine::nobody() {
  return impl_->address();
}
int Machine::far_connects(const Address& address) {
  return impl_->keep(impl_->kernel.connect_to_proxy(address, impl_->address()));
}
int Machine::far_accepts() {
  BW_ASSERT(!impl_->accepted.empty());
  const int far = impl_->accepted.front();
  impl_->accepted.erase(impl_->accepted.begin());
  return far;
}

void Machine::far_sends(int far, std::string_view bytes) {
  BW_ASSERT(impl_->kernel.send(impl_->end(far), bytes.data(), bytes.size()) ==
            static_cast<int64_t>(bytes.size()));
}
std::string Machine::far_receives(int far) {
  std::string all;
  char room[65536];
  for (int64_t got = 0; (got = impl_->kernel.receive(impl_->end(far), room, sizeof room)) > 0;)
    all.append(room, static_cast<size_t>(got));
  return all;
}
FarSees Machine::far_sees(int far) {
  const sim::End& end = impl_->end(far);
  if (end.in.arrived > 0) return FarSees::open;
  return end.reset ? FarSees::reset : end.in.end_arrived ? FarSees::end : FarSees::open;
}
void Machine::far_ends(int far) {
  impl_->kernel.shutdown_write(impl_->end(far));
}
void Machine::far_closes(int far) {
  impl_->kernel.close(impl_->end(far));
}
void Machine::far_resets(int far) {
  impl_->end(far).reset_on_close = true;
  impl_->kernel.close(impl_->end(far));
}

}  // namespace breakwater::behaviour
