// A Receiver on the real kernel: buffers that run out, and cancelling at the worst moment.
#include "proxy/receiver.h"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "unit/core_world.h"
#include "unit/socket_pair.h"

using namespace breakwater;
using namespace breakwater::proxy;

namespace {

struct World : CoreWorld {
  World() : CoreWorld(1) {}
};

struct Connection {
  SocketPair sockets;
  const std::array<int, 2>& ends = sockets.ends;
  tls::Stream stream;
  Receiver receiver;
  explicit Connection(Core& core) : stream(core, ends[0]), receiver(core, core.head_buffers()) {
    receiver.attach(stream);
    REQUIRE(write(ends[1], "hello", 5) == 5);
  }
};

}  // namespace

TEST_CASE("a receive without a buffer goes on when one comes back") {
  World world;
  Connection first(*world.core);
  Connection second(*world.core);
  first.receiver.start(false);
  while (first.receiver.busy()) world.core->turn();
  second.receiver.start(false);
  world.core->turn();
  CHECK(second.receiver.busy());
  first.receiver.inbox().clear();
  while (second.receiver.busy()) world.core->turn();
  CHECK(second.receiver.result() == 5);
  CHECK(second.receiver.inbox().view() == "hello");
  second.receiver.inbox().clear();
}

// The ring's cancel came too late for the receive that had ended for want of a buffer, and the next one,
// which nobody had cancelled, was never ended: its client waited for ever.
TEST_CASE("a receive that is cancelled while it ends for want of a buffer does not begin again") {
  World world;
  Connection first(*world.core);
  Connection second(*world.core);
  first.receiver.start(false);
  while (first.receiver.busy()) world.core->turn();
  second.receiver.start(false);
  world.core->ring().wait(0);  // ended, but not heard of yet
  second.receiver.cancel();
  world.core->ring().dispatch();
  CHECK_FALSE(second.receiver.busy());
  CHECK(second.receiver.result() < 0);
  first.receiver.inbox().clear();
}
