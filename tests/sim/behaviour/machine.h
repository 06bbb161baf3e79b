// Machine: a kernel with somebody at the far end of its connections, for behaviour_test.cc. Two
// implementations are chosen when linking: machine_linux.cc (loopback TCP) and machine_sim.cc (the simulated
// kernel). What is near is driven by the test through Ring and sys:: as the proxy does it; what is far by the
// calls below.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "ring/address.h"
#include "ring/ring.h"

namespace breakwater::behaviour {

enum class FarSees : uint8_t { open, end, reset };

class Machine {
 public:
  Machine();
  ~Machine();
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  // Lets what is on its way arrive.
  void settle();

  // What fd may hold for sending grows no more by itself: so much is full when the far side's room is as
  // well.
  void fix_room(int fd);
  // Nothing of what fd has sent is under way, and no more may leave: unless the far side reads, fd gets no
  // room.
  bool is_stuck(int fd);

  // An address where the far side listens, and one where nobody does.
  Address far_listener();
  Address nobody();
  // The far end of the next connection: one it makes to `address`, or one that it accepts.
  int far_connects(const Address& address);
  int far_accepts();

  void far_sends(int far, std::string_view bytes);  // few enough to be taken at once
  std::string far_receives(int far);                // all there is
  FarSees far_sees(int far);                        // after everything it could receive
  void far_ends(int far);                           // its sending side
  void far_closes(int far);
  void far_resets(int far);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace breakwater::behaviour
