// The queue of one core by itself: who is inside, who waits for what, and where places go.
#include "proxy/queue.h"

#include <doctest/doctest.h>

#include <memory>

#include "unit/core_world.h"

using namespace breakwater;
using namespace breakwater::proxy;
using backends::Limit;

namespace {

struct World : CoreWorld {
  config::Admission limits;
  std::vector<config::Server> servers{2};
  std::unique_ptr<backends::Admission> admission;
  std::unique_ptr<backends::Places> places;
  std::unique_ptr<Queue> queue;

  World() : CoreWorld(1) {}
  void open() {
    admission = std::make_unique<backends::Admission>(limits);
    places = std::make_unique<backends::Places>(servers);
    queue = std::make_unique<Queue>(*core, *admission, *places, limits);
  }
  // As a waiter does it that enter() turned away.
  void wait(Queue::Waiter& waiter, const Queue::Wish& wish) {
    waiter.limit = queue->enter(wish);
    REQUIRE(waiter.limit != Limit::none);
    REQUIRE(queue->add(waiter, wish));
  }
};

Queue::Wish wish_of(Ticket& ticket, uint64_t client = 1) {
  return {.ask = {backends::OperationClass::fetch, 7, client}, .ticket = &ticket};
}

// A chooser for the first server that has room.
struct Chooser {
  backends::Places& places;
  uint32_t chosen = backends::no_server;
  static uint32_t choose(void* context) noexcept {
    Chooser& self = *static_cast<Chooser*>(context);
    self.chosen = !self.places.is_full(0) ? 0 : !self.places.is_full(1) ? 1 : backends::all_full;
    return self.chosen;
  }
};

Queue::Wish wish_of(Ticket& ticket, Chooser& chooser) {
  Queue::Wish wish = wish_of(ticket);
  wish.choose = Chooser::choose;
  wish.context = &chooser;
  return wish;
}

}  // namespace

TEST_CASE("queue: nobody overtakes one that came in the same turn and was not looked at yet") {
  World world;
  world.limits.operations = 1;
  world.open();
  Ticket first, second, third;
  CHECK(world.queue->enter(wish_of(first)) == Limit::none);
  Queue::Waiter waiter(*world.core);
  world.wait(waiter, wish_of(second));
  CHECK(world.queue->enter(wish_of(third)) == Limit::operations);
  CHECK_FALSE(third.held());
  first.give_back();
  world.core->turn();
  CHECK(waiter.inside);
  CHECK(second.held());
}

TEST_CASE("queue: an operation has a place on its server, which moves with it and comes back with it") {
  World world;
  world.servers[0].max = world.servers[1].max = 1;
  world.open();
  Chooser chooser{*world.places};
  Ticket first, second, third;
  CHECK(world.queue->enter(wish_of(first, chooser)) == Limit::none);
  CHECK(world.queue->enter(wish_of(second, chooser)) == Limit::none);
  CHECK(chooser.chosen == 1);
  CHECK(world.queue->enter(wish_of(third, chooser)) == Limit::server);
  CHECK_FALSE(third.held());
  CHECK(world.admission->inside() == 2);  // what was counted for the third is taken back
  first.move_to(1);                       // its server failed: the other one gets more than it may have
  CHECK(world.places->taken(0) == 0);
  CHECK(world.places->taken(1) == 2);
  CHECK(world.queue->enter(wish_of(third, chooser)) == Limit::none);
  CHECK(chooser.chosen == 0);
  for (Ticket* const ticket : {&first, &second, &third}) ticket->give_back();
  CHECK(world.places->taken(0) + world.places->taken(1) == 0);
  CHECK(world.admission->inside() == 0);
}

TEST_CASE("queue: what is inside does not wait for those that are not") {
  World world;
  world.limits.operations = 1;
  world.limits.clones = 1;
  world.limits.queue = 2;
  world.open();
  Ticket inside, outside;
  PartPlace first, second;
  CHECK(world.queue->enter(wish_of(inside)) == Limit::none);
  Queue::Waiter begins(*world.core), clones(*world.core);
  world.wait(begins, wish_of(outside));
  world.core->turn();
  CHECK(begins.limit == Limit::operations);
  const Queue::Wish of_first{.ask = wish_of(inside).ask, .place = &first, .part = backends::Part::clone};
  CHECK(world.queue->enter(of_first) == Limit::none);
  Queue::Wish of_second = of_first;
  of_second.place = &second;
  world.wait(clones, of_second);
  world.core->turn();
  CHECK(clones.limit == Limit::clones);
  first.give_back();
  world.core->turn();
  CHECK(clones.inside);
  CHECK_FALSE(begins.inside);
  CHECK(world.admission->inside(backends::Part::clone) == 1);
  inside.give_back();
  world.core->turn();
  CHECK(begins.inside);
}

TEST_CASE("queue: all of a wish is fulfilled, or nothing") {
  World world;
  world.limits.advertisements = 1;
  world.servers[0].max = 1;
  world.servers[1].max = 1;
  world.open();
  Chooser chooser{*world.places};
  Ticket first, second, third;
  PartPlace of_first, of_second, of_third;
  const auto advertise = [&](Ticket& ticket, PartPlace& place) {
    Queue::Wish wish = wish_of(ticket, chooser);
    wish.place = &place;
    wish.part = backends::Part::advertisement;
    return wish;
  };
  CHECK(world.queue->enter(advertise(first, of_first)) == Limit::none);
  CHECK(world.queue->enter(advertise(second, of_second)) == Limit::advertisements);
  CHECK(world.admission->inside() == 1);
  of_first.give_back();  // it is answered, and the operation goes on
  CHECK(world.queue->enter(advertise(second, of_second)) == Limit::none);
  of_second.give_back();
  CHECK(world.queue->enter(advertise(third, of_third)) == Limit::server);
  CHECK(world.admission->inside() == 2);
  CHECK(world.admission->inside(backends::Part::advertisement) == 0);
}

TEST_CASE("queue: who waits for a server comes in when one has room, and passes those it is not for") {
  World world;
  world.limits.per_client = 1;
  world.servers[0].max = 1;
  world.servers[1].max = 1;
  world.open();
  Chooser chooser{*world.places};
  Ticket first, second, of_same_client, other;
  Queue::Wish of_second = wish_of(second, chooser);
  of_second.ask.client = 2;
  CHECK(world.queue->enter(wish_of(first, chooser)) == Limit::none);
  CHECK(world.queue->enter(of_second) == Limit::none);
  Queue::Waiter waits_for_client(*world.core), waits_for_server(*world.core);
  world.wait(waits_for_client, wish_of(of_same_client, chooser));
  Queue::Wish third = wish_of(other, chooser);
  third.ask.client = 3;
  world.wait(waits_for_server, third);
  world.core->turn();
  CHECK(waits_for_client.limit == Limit::client);
  CHECK(waits_for_server.limit == Limit::server);
  second.give_back();
  world.core->turn();
  CHECK(waits_for_server.inside);
  CHECK_FALSE(waits_for_client.inside);
  CHECK(chooser.chosen == 1);
  first.give_back();
  world.core->turn();
  CHECK(waits_for_client.inside);
}
