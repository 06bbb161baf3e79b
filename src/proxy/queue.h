// Where operations wait for a pool's limits (backends/admission.h), on one core: nothing else in Breakwater
// makes a request wait that could be served. Bounded, fair, and in the open: who waits has a reason, a
// position and a deadline.
//
// Fair: each client's network and each repository has its turn, however many operations of the others wait
// (start-time fair queueing with operations of equal cost; the tags of both are kept by hash in a table of
// fixed size). Cores don't share a queue, only the limits: each looks for a free place when one of its own
// operations ends, and every few ms while somebody waits.
//
// A Ticket is an operation's place inside, and on its server, where one of the pool's has a limit of its own.
// It is kept between the requests of an operation by its client's
// connection; if somebody waits, a ticket that nobody used for `unused_ns` is taken back.
#pragma once

#include <array>
#include <cstdint>
#include <utility>

#include "backends/admission.h"
#include "backends/balancer.h"
#include "backends/places.h"
#include "base/list.h"
#include "core/await.h"
#include "core/core.h"

namespace breakwater::proxy {

class Queue;

// A place for one, empty at first; it stays where it is, because it may be in a list. Must not outlive its
// queue.
class Ticket : public ListNode {
 public:
  Ticket() = default;
  ~Ticket() { give_back(); }
  Ticket(const Ticket&) = delete;
  Ticket& operator=(const Ticket&) = delete;

  bool held() const noexcept { return queue_ != nullptr; }
  // Is it of this queue's pool, for this repository and class?
  bool fits(const Queue& queue, const backends::Admission::Ask& ask) const noexcept {
    return queue_ == &queue && ask_.repository == ask.repository && ask_.what == ask.what;
  }
  void use() noexcept;                 // a request of its operation is served
  void rest(int64_t now_ns) noexcept;  // none is, for now
  void give_back() noexcept;
  // Its operation goes on on that server, whatever its limit. Nothing while no server has one.
  void move_to(uint32_t server) noexcept;

 private:
  friend class Queue;
  void leave_server() noexcept;
  Queue* queue_ = nullptr;
  backends::Admission::Ask ask_;
  uint32_t server_ = backends::no_server;  // where it has a place
  int64_t rests_since_ns_ = 0;
};

// The place of one request as a part of its operation: an advertisement, a clone's pack. Must not outlive its
// queue.
class PartPlace {
 public:
  PartPlace() = default;
  ~PartPlace() { give_back(); }
  PartPlace(const PartPlace&) = delete;
  PartPlace& operator=(const PartPlace&) = delete;
  void give_back() noexcept;

 private:
  friend class Queue;
  Queue* queue_ = nullptr;
  backends::Part part_ = backends::Part::none;
};

class Queue {
 public:
  static constexpr int64_t look_every_ns = 5'000'000;
  static constexpr int64_t unused_ns = 10'000'000'000;

  Queue(Core& core, backends::Admission& admission, backends::Places& places,
        const config::Admission& limits) noexcept;
  ~Queue() { BW_ASSERT(waiting_.empty()); }
  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;

  // What a request wants. Of an operation that begins: a place in the pool, and, where servers have limits, a
  // server. Of any: a place for the part of its operation that it is.
  struct Wish {
    backends::Admission::Ask ask;
    Ticket* ticket = nullptr;  // that gets the place; null: the operation has it already
    PartPlace* place = nullptr;
    backends::Part part = backends::Part::none;
    // Chooses a server with room, when all else is there: a server, no_server or all_full, as
    // Balancer::pick. Null: no server has a limit.
    uint32_t (*choose)(void* context) noexcept = nullptr;
    void* context = nullptr;
    bool writes = false;  // it may find all servers full where one that only reads does not
  };

  // One that waits. `over` is set when it is inside, or when it was taken out by remove().
  class Waiter : public ListNode {
   public:
    explicit Waiter(Core& core) noexcept : over(core) {}
    ~Waiter() { BW_ASSERT(!linked()); }
    Signal over;
    bool inside = false;
    uint32_t position = 0;  // 1: the next; as of the last number()
    int64_t since_ns = 0;
    // That keeps it out: as enter() said, then as of the last look.
    backends::Limit limit = backends::Limit::none;

   private:
    friend class Queue;
    Wish wish_;
    uint64_t tag_ = 0;
  };

  // Fulfils it at once if it can be and nobody has to wait for his turn.
  backends::Limit enter(const Wish& wish) noexcept;
  // For one that waited long enough: the part of its wish, whatever the limit.
  void enter_anyway(const Wish& wish) noexcept;
  void enter_anyway(const backends::Admission::Ask& ask, Ticket& ticket) noexcept;
  // False if the queue is full. Otherwise `waiter` waits for what is wished; it and all that the wish names
  // stay until it is over.
  bool add(Waiter& waiter, const Wish& wish) noexcept;
  void remove(Waiter& waiter) noexcept;  // it no longer waits, if it did

  uint32_t length() const noexcept { return length_; }
  void number() noexcept;  // tells all that wait their positions
  // How long the next to come would wait, going by the last admissions.
  int64_t expected_wait_ns() const noexcept { return static_cast<int64_t>(length_ + 1) * pace_ns_; }

 private:
  friend class Ticket;
  friend class PartPlace;
  static constexpr size_t tags = 1024;

  backends::Limit limit_of_those_before(const Wish& wish) noexcept;
  backends::Limit fulfil(const Wish& wish) noexcept;
  bool take_server(const Wish& wish) noexcept;
  void hold(const backends::Admission::Ask& ask, Ticket& ticket) noexcept;
  void hold(backends::Part part, PartPlace& place) noexcept;
  void left(const backends::Admission::Ask& ask) noexcept;
  void look_soon() noexcept;
  void admit(Waiter& waiter) noexcept;
  void take_back_unused() noexcept;
  void look() noexcept;
  struct Full {
    bool pool = false;
    std::array<bool, 2> servers{};  // for those that read, and that write
  };
  backends::Limit look_at(const Wish& wish, Full& full) noexcept;
  uint32_t waiting_for_parts() const noexcept { return parts_waiting_[1] + parts_waiting_[2]; }
  uint64_t& tag_of(uint64_t hash) noexcept { return tags_[hash % tags]; }

  Core& core_;
  backends::Admission& admission_;
  backends::Places& places_;
  const config::Admission& limits_;
  List<Waiter> waiting_;  // by tag
  List<Ticket> resting_;  // the longest first
  uint32_t length_ = 0;
  // Of these, those that want no more than the part of an operation that is inside.
  std::array<uint32_t, backends::parts> parts_waiting_{};
  uint64_t virtual_time_ = 0;  // the tag of the one admitted last
  std::array<uint64_t, tags> tags_{};
  int64_t admitted_ns_ = 0;
  int64_t pace_ns_ = 1'000'000'000;  // between two admissions while somebody waits, averaged
  Timer timer_;
  Deferred soon_;
};

}  // namespace breakwater::proxy
