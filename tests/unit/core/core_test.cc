// A Core on the real kernel: awaiting operations, deadlines, buffers and their waiters, the mailbox from
// another thread.
#include "core/core.h"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <set>
#include <string>
#include <thread>

#include "core/await.h"
#include "coro/scope.h"
#include "unit/core_world.h"
#include "unit/socket_pair.h"

using namespace breakwater;

namespace {

struct World : CoreWorld {
  explicit World(uint32_t buffers = 8) : CoreWorld(buffers) {}
};

Task<void> receive_one(Core& core, int fd, std::string& got, int64_t limit_ns, int32_t& result) {
  std::array<char, 64> bytes;
  RingCall call(core);
  call.kind = Op::Kind::receive;
  call.fd = fd;
  call.data = bytes.data();
  call.bytes = bytes.size();
  struct Cancel {
    Core& core;
    Op& op;
  } cancel{core, call};
  Deadline deadline(
      core, limit_ns > 0 ? core.now_ns() + limit_ns : 0,
      [](void* what) {
        Cancel& both = *static_cast<Cancel*>(what);
        both.core.ring().cancel(both.op);
      },
      &cancel);
  result = co_await call;
  if (result > 0) got.assign(bytes.data(), static_cast<size_t>(result));
  core.stop();
}

}  // namespace

TEST_CASE("a receive resumes its coroutine with the bytes") {
  World world;
  const SocketPair sockets;
  const auto& ends = sockets.ends;
  std::string got;
  int32_t result = 0;
  Scope scope;
  scope.spawn(receive_one(*world.core, ends[0], got, 0, result));
  REQUIRE(write(ends[1], "hello", 5) == 5);
  world.core->run();
  CHECK(got == "hello");
  CHECK(scope.empty());
}

TEST_CASE("a deadline cancels a receive on a non-blocking socket, which waits and does not spin") {
  World world;
  const SocketPair sockets;
  const auto& ends = sockets.ends;
  std::string got;
  int32_t result = 0;
  Scope scope;
  scope.spawn(receive_one(*world.core, ends[0], got, 30'000'000, result));
  world.core->run();
  CHECK(result == -ECANCELED);
  CHECK(world.core->ring().counts().enters < 20);
}

TEST_CASE("a message from another thread is heard") {
  World world;
  struct Heard {
    Core* core;
    uint32_t messages = 0;
  } heard{world.core.get()};
  world.mailbox.listen(
      world.core->ring(),
      [](void* context, uint32_t messages) {
        Heard& self = *static_cast<Heard*>(context);
        self.messages |= messages;
        self.core->mailbox().close();
        self.core->stop();
      },
      &heard);
  std::thread sender([&] { world.mailbox.post(Mailbox::drain); });
  world.core->run();
  sender.join();
  CHECK(heard.messages == Mailbox::drain);
}

TEST_CASE("whoever waits for a buffer is woken when one comes back, even if that was before it waited") {
  World world(2);
  BufferGroup& group = world.core->head_buffers();
  int woken = 0;
  BufferWaiter waiter([](void* count) { ++*static_cast<int*>(count); }, &woken);
  {
    const Buffer first = group.take_picked(0);
    const Buffer second = group.take_picked(1);
    group.wait(waiter);
    group.wake();
    CHECK(woken == 0);
  }
  group.wake();
  CHECK(woken == 1);
  group.wait(waiter);  // all buffers are free by now
  CHECK(group.wake_due());
  group.wake();
  CHECK(woken == 2);
}

TEST_CASE("one buffer at a time: it is always one of the same few, and none is lost") {
  World world(1024);
  BufferGroup& group = world.core->head_buffers();
  const SocketPair sockets;
  const auto& ends = sockets.ends;
  std::set<const char*> used;
  for (int message = 0; message < 3000; message++) {
    REQUIRE(write(ends[1], "x", 1) == 1);
    Op receive;
    receive.kind = Op::Kind::receive_selected;
    receive.fd = ends[0];
    receive.group = group.id();
    receive.on_complete = [](Op&) {};
    world.core->ring().submit(receive);
    while (receive.in_flight) world.core->turn();
    REQUIRE(receive.result == 1);
    used.insert(group.take_picked(receive.buffer_id).data());
  }
  CHECK(used.size() <= 129);
  CHECK(group.leased() == 0);
}

TEST_CASE("a pipe that comes back with bytes in it is not used again") {
  World world;
  PipePool& pipes = world.core->pipes();
  int first_write_end = -1;
  {
    Pipe pipe = pipes.acquire();
    REQUIRE(pipe);
    first_write_end = pipe.write_end();
    REQUIRE(write(pipe.write_end(), "x", 1) == 1);
    pipe.filled(1);
  }
  Pipe next = pipes.acquire();
  REQUIRE(next);
  char byte = 0;
  CHECK(read(next.read_end(), &byte, 1) == -1);
  CHECK(errno == EAGAIN);
  (void)first_write_end;
  Pipe last = pipes.acquire();
  CHECK(last);
  CHECK_FALSE(pipes.acquire());
}
