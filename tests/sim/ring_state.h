// RingState: what the simulated kernel keeps for one ring. Operations are tried when they are submitted, or
// later; those that can't go on are armed on their descriptor; completions wait until the ring's owner turns
// it.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <unordered_map>
#include <vector>

#include "ring/op.h"
#include "ring/ring.h"
#include "sim/kernel.h"

namespace breakwater::sim {

// Shared with the events that will look at it: some come after the ring is gone.
class RingState : public std::enable_shared_from_this<RingState> {
 public:
  RingState();
  ~RingState();
  RingState(const RingState&) = delete;
  RingState& operator=(const RingState&) = delete;

  // The scheduler's view: rings in the order in which they were opened.
  static std::vector<RingState*>& all() noexcept;
  bool runnable() const noexcept;
  int64_t wake_ns() const noexcept { return wake_ns_; }

  // From the kernel.
  void look_at(uint64_t id);                    // the descriptor of an armed operation changed
  std::string describe() const;                 // what is in flight
  bool is_about_to_use(int fd) const noexcept;  // an operation is submitted that was not tried yet
  bool waits(uint64_t id) const noexcept { return active_.contains(id); }
  void completed(uint64_t id, int32_t result);

  // From the twin of Ring.
  void submit(Op& op);
  void cancel(Op& op);
  void wait(int64_t wait_ns);
  void dispatch();
  bool make_group(uint16_t group, char* base, size_t bytes, size_t stride, uint32_t count);
  void provide(uint16_t group, uint16_t buffer_id);
  RingCounts counts;
  uint32_t in_flight = 0;

 private:
  // What the kernel copied when the operation was submitted: the Op itself must not matter any more.
  struct Active {
    Op* op;
    Op::Kind kind;
    bool poll_first;
    bool armed = false;
    int told = 0;  // of a poll_gone: each mask is told once
    uint16_t group;
    int fd;
    char* data;
    size_t bytes;
    std::vector<iovec> parts;
    Address address;
  };
  struct Completion {
    Op* op;
    int fd;
    int32_t result;
    bool more, buffer_selected;
    uint16_t buffer_id;
  };
  struct Request {
    bool cancels;
    uint64_t id;
  };
  struct Group {
    char* base = nullptr;
    size_t bytes = 0, stride = 0;
    std::vector<bool> ours;  // buffers that the kernel may fill
    std::deque<uint16_t> free;
  };

  void start(uint64_t id);
  void attempt(uint64_t id);
  void attempt_accept(uint64_t id, Active& active);
  void attempt_receive(uint64_t id, Active& active);
  void attempt_send(uint64_t id, Active& active);
  void attempt_poll(uint64_t id, Active& active);
  void attempt_read(uint64_t id, Active& active);
  void arm(uint64_t id, Active& active);
  void disarm(uint64_t id, Active& active);
  void do_cancel(uint64_t id);
  void end(uint64_t id, int32_t result, bool buffer_selected = false, uint16_t buffer_id = 0);
  void post(const Completion& completion);

  Kernel& kernel_;
  uint64_t next_id_ = 1;
  std::unordered_map<uint64_t, Active> active_;
  std::unordered_map<Op*, uint64_t> ids_;
  std::vector<Request> queued_;
  std::vector<Completion> ready_, taken_;
  std::vector<Group> groups_;
  int64_t wake_ns_ = 0;
  bool again_ = true;
};

}  // namespace breakwater::sim
