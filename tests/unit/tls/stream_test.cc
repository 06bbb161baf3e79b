// Handshakes over a socket, by a client whose bytes come as the test likes.
#include "tls/stream.h"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <string>
#include <string_view>

#include "coro/scope.h"
#include "tls/handshakes.h"
#include "unit/core_world.h"
#include "unit/socket_pair.h"
#include "unit/tls/world.h"

using namespace breakwater;
using namespace breakwater::tls;
using namespace breakwater::tls::testing;

namespace {

std::string hello() {
  Engine client(client_context(), "git.example.com");
  std::string room(8192, '\0');
  std::span<const char> nothing;
  std::span<char> out(room);
  CHECK(client.handshake(nothing, out) == Step::wants_input);
  return room.substr(0, room.size() - out.size());
}

struct Server : CoreWorld {
  SocketPair sockets;
  Handshakes handshakes;
  Stream stream;
  Shake shake;
  Scope scope;

  Server() : CoreWorld(4), handshakes(*core, 1), stream(*core, sockets.ends[0]) { scope.spawn(accept()); }
  Task<void> accept() {
    const auto context = server_context();
    shake = co_await stream.accept(context, handshakes, 0);
  }
  void hear(std::string_view bytes) const {
    REQUIRE(write(sockets.ends[1], bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
  }
  void turn_until_it_has_answered() {
    char byte = 0;
    while (!scope.empty() && recv(sockets.ends[1], &byte, 1, MSG_PEEK) < 0) core->turn();
  }
  void stop() {
    stream.stop_handshake();
    while (!scope.empty()) core->turn();
  }
};

}  // namespace

// A poll heard of the first half once more (a unix socket knows no low water; TCP forgets it where memory is
// short), and that nothing was new looked like the end.
TEST_CASE("tls stream: a hello in two halves, the first of which is told of twice") {
  Server server;
  const std::string whole = hello();
  const std::string_view bytes(whole);
  server.hear(bytes.substr(0, 100));
  for (int turn = 0; turn < 5; turn++) {
    REQUIRE(!server.scope.empty());
    server.core->turn();
  }
  server.hear(bytes.substr(100));
  server.turn_until_it_has_answered();
  CHECK(!server.shake.fault);
  server.stop();
}

TEST_CASE("tls stream: half a hello, and then the end") {
  Server server;
  server.hear(hello().substr(0, 100));
  server.core->turn();
  shutdown(server.sockets.ends[1], SHUT_WR);
  while (!server.scope.empty()) server.core->turn();
  CHECK(server.shake.fault.kind == FaultKind::truncated);
  CHECK(!server.shake.said_nothing);
}
