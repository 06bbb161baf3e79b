// A Pump whose sink is a TLS client, which takes nothing, or little.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <string>

#include "coro/scope.h"
#include "proxy/pump.h"
#include "tls/handshakes.h"
#include "unit/core_world.h"
#include "unit/socket_pair.h"
#include "unit/tls/world.h"

using namespace breakwater;
using namespace breakwater::proxy;

namespace {

// A client and a server of one core that have shaken hands.
struct World : CoreWorld {
  SocketPair sockets;
  tls::Handshakes handshakes;
  tls::Stream server, client;
  tls::Shake of_server, of_client;
  Scope scope;

  World()
      : CoreWorld(4), handshakes(*core, 1), server(*core, sockets.ends[0]), client(*core, sockets.ends[1]) {
    scope.spawn(accept());
    scope.spawn(connect());
    while (!scope.empty()) core->turn();
    REQUIRE(of_server.done());
    REQUIRE(of_client.done());
  }
  Task<void> accept() {
    const auto context = tls::testing::server_context();
    of_server = co_await server.accept(context, handshakes, 0);
  }
  Task<void> connect() {
    const auto context = tls::testing::client_context();
    of_client = co_await client.connect(context, "git.example.com", nullptr, 0);
  }
  Task<void> read_to_the_end(std::string& got, int32_t& end) {
    std::string room(tls::Stream::receive_bytes_min * 2, '\0');
    while (end > 0) {
      tls::StreamCall call(client);
      call.kind = Op::Kind::receive;
      call.data = room.data();
      call.bytes = room.size();
      end = co_await call;
      if (end > 0) got.append(room.data(), static_cast<size_t>(end));
    }
  }
  void fill_the_socket() {
    const std::string rubbish(64 * 1024, 'x');
    while (write(sockets.ends[0], rubbish.data(), rubbish.size()) > 0) {
    }
  }
};

}  // namespace

// Our 502 was written into the middle of an answer: what had been sealed and was on its way counted as not
// sent, because the send was cancelled.
TEST_CASE("pump: what was sealed for a client that takes nothing counts as sent when it is stopped") {
  World world;
  world.fill_the_socket();
  SocketPair source;
  tls::Stream from(*world.core, source.ends[0]);
  Pump pump(*world.core);
  std::string body(50'000, 'b');
  pump.start({.source = &from,
              .sink = &world.server,
              .source_side = Side::upstream,
              .sink_side = Side::downstream,
              .head = "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n",
              .initial = body,
              .from = {.kind = wire::BodyKind::length, .length = 100'000}});
  for (int turn = 0; turn < 3; turn++) {
    CHECK(pump.waits_for_sink());
    world.core->ring().wait(0);
    world.core->ring().dispatch();
  }
  pump.stop({Code::reset, Side::upstream, ECONNRESET});
  while (pump.running()) world.core->turn();
  CHECK(pump.error().code == Code::reset);
  CHECK(pump.sent_anything());
}

// It was sealed when all else was sent, and a socket that was full had no room for it.
TEST_CASE("pump: a close_notify goes out behind the last record of what the connection ends with") {
  World world;
  SocketPair source;
  tls::Stream from(*world.core, source.ends[0]);
  Pump pump(*world.core);
  std::string body(200'000, 'b');
  pump.start({.source = &from,
              .sink = &world.server,
              .source_side = Side::upstream,
              .sink_side = Side::downstream,
              .initial = body,
              .from = {.kind = wire::BodyKind::length, .length = body.size()},
              .sink_closes = true});
  std::string got;
  int32_t end = 1;
  world.scope.spawn(world.read_to_the_end(got, end));
  while (pump.running()) world.core->turn();
  shutdown(world.sockets.ends[0], SHUT_WR);
  while (!world.scope.empty()) world.core->turn();
  CHECK(got == body);
  CHECK(end == 0);
}
