// Requests over real connections to a server that plays a script: framing, reuse, what breaks and how it is
// called.
#include "client/exchange.h"

#include <doctest/doctest.h>

#include <optional>
#include <string>

#include "coro/scope.h"
#include "git/requests.h"
#include "unit/core_world.h"
#include "unit/loadgen/client/scripted_server.h"

using namespace breakwater;
using namespace breakwater::storm;

namespace {

struct Taken : Sink {
  std::string bytes;
  size_t enough = SIZE_MAX;
  bool take(std::string_view payload) override {
    bytes += payload;
    return bytes.size() < enough;
  }
};

// A core, and one connection of it to the server.
struct Asker {
  explicit Asker(const ScriptedServer& server) : world(16) {
    site.address = server.address;
    connection.emplace(*world.core, site, traffic);
  }
  ~Asker() {
    connection->close();
    connection.reset();
    world.core->stop();
    world.core->run();
  }

  static Task<void> ask(Asker* self) {
    Exchange exchange(*self->world.core, *self->connection);
    self->failure = co_await exchange.perform(self->message, self->taken, self->answer, self->times);
    self->is_over = true;
  }
  Failure get(std::string_view head = "GET / HTTP/1.1\r\nHost: x\r\n\r\n", BodySource* pieces = nullptr) {
    message = {pieces == nullptr ? wire::Method::get : wire::Method::post, head, {}, pieces};
    is_over = false;
    taken.bytes.clear();
    scope.spawn(ask(this));
    while (!is_over) world.core->turn();
    return failure;
  }

  CoreWorld world;
  Site site;
  Traffic traffic;
  std::optional<Connection> connection;
  Scope scope;
  Message message;
  Taken taken;
  Answer answer;
  Connection::Times times;
  Failure failure = Failure::none;
  bool is_over = false;
};

std::string ok(std::string_view body) {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

}  // namespace

TEST_CASE("two answers come over one connection") {
  std::string first, second;
  ScriptedServer server({[&](Peer& peer) {
    first = peer.read_head();
    peer.answer("200 OK", "one", "Content-Type: application/x-git-upload-pack-result\r\n");
    second = peer.read_head();
    peer.answer("404 Not Found", "two");
    peer.read_end();
  }});
  Asker client(server);
  CHECK(client.get() == Failure::none);
  CHECK(client.answer.status == 200);
  CHECK(client.taken.bytes == "one");
  CHECK_FALSE(client.answer.is_dumb);
  CHECK(client.times.connected_ns > 0);
  CHECK(client.answer.first_byte_ns >= client.times.connected_ns);
  CHECK(client.get("GET /b HTTP/1.1\r\nHost: x\r\n\r\n") == Failure::none);
  CHECK(client.answer.status == 404);
  CHECK(client.taken.bytes.empty());  // only what was asked for is looked at
  CHECK(client.answer.is_dumb);
  CHECK(client.connection->is_reusable());
  CHECK(client.traffic.connections == 1);
  client.connection->close();
  server.end();
  CHECK(client.traffic.sent == first.size() + second.size());
}

TEST_CASE("a connection that was closed while it was idle is opened again") {
  ScriptedServer server({[](Peer& peer) {
                           peer.read_head();
                           peer.answer("200 OK", "one");
                         },
                         [](Peer& peer) {
                           peer.read_head();
                           peer.answer("200 OK", "two");
                           peer.read_end();
                         }});
  Asker client(server);
  CHECK(client.get() == Failure::none);
  while (client.connection->is_reusable()) client.world.core->turn();
  CHECK(client.get() == Failure::none);
  CHECK(client.taken.bytes == "two");
  CHECK(client.traffic.connections == 2);
  client.connection->close();
}

TEST_CASE("a request that meets the closing of an idle connection is sent once more, and only once") {
  const auto shut_after_reading = [](Peer& peer) {
    peer.read_head();
    peer.answer("200 OK", "one");
    peer.read_head();  // it has read the request, and does not answer it
  };
  ScriptedServer server({shut_after_reading, [](Peer& peer) { peer.read_head(); }});
  Asker client(server);
  CHECK(client.get() == Failure::none);
  CHECK(client.get() == Failure::http);
  CHECK(client.traffic.connections == 2);
}

TEST_CASE("interim answers are skipped, and chunks are put together") {
  ScriptedServer server({[](Peer& peer) {
    peer.read_head();
    peer.write("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n");
    peer.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n");
    peer.read_head();
    peer.write(ok("again"));
    peer.read_end();
  }});
  Asker client(server);
  CHECK(client.get() == Failure::none);
  CHECK(client.taken.bytes == "abcde");
  CHECK(client.get() == Failure::none);
  CHECK(client.taken.bytes == "again");
  client.connection->close();
}

TEST_CASE("an answer may last until the connection closes") {
  ScriptedServer server({[](Peer& peer) {
    peer.read_head();
    peer.write("HTTP/1.1 200 OK\r\n\r\nall of it");
  }});
  Asker client(server);
  CHECK(client.get() == Failure::none);
  CHECK(client.taken.bytes == "all of it");
  CHECK_FALSE(client.connection->is_open());
}

TEST_CASE("ends before the end are told apart") {
  SUBCASE("a length that is not reached") {
    ScriptedServer server({[](Peer& peer) {
      peer.read_head();
      peer.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
    }});
    Asker client(server);
    CHECK(client.get() == Failure::truncated);
    CHECK(client.taken.bytes == "abc");
  }
  SUBCASE("chunks without the last one") {
    ScriptedServer server({[](Peer& peer) {
      peer.read_head();
      peer.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
    }});
    Asker client(server);
    CHECK(client.get() == Failure::truncated);
  }
  SUBCASE("a reset in the middle of a body") {
    ScriptedServer server({[](Peer& peer) {
      peer.read_head();
      peer.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
      peer.reset_on_close();
    }});
    Asker client(server);
    CHECK(client.get() == Failure::truncated);
  }
  SUBCASE("nothing at all") {
    ScriptedServer server({[](Peer& peer) { peer.read_head(); }});
    Asker client(server);
    CHECK(client.get() == Failure::http);
    CHECK(client.answer.status == 0);
  }
  SUBCASE("a reset before an answer") {
    ScriptedServer server({[](Peer& peer) {
      peer.read_head();
      peer.reset_on_close();
    }});
    Asker client(server);
    CHECK(client.get() == Failure::http);
  }
  SUBCASE("a head that is cut") {
    ScriptedServer server({[](Peer& peer) {
      peer.read_head();
      peer.write("HTTP/1.1 200 OK\r\nContent-");
    }});
    Asker client(server);
    CHECK(client.get() == Failure::http);
  }
  SUBCASE("no HTTP") {
    ScriptedServer server({[](Peer& peer) {
      peer.read_head();
      peer.write("SSH-2.0-OpenSSH_9.2\r\n");
      peer.read_end();
    }});
    Asker client(server);
    CHECK(client.get() == Failure::http);
  }
  SUBCASE("chunks that are none") {
    ScriptedServer server({[](Peer& peer) {
      peer.read_head();
      peer.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n");
      peer.read_end();
    }});
    Asker client(server);
    CHECK(client.get() == Failure::http);
  }
}

TEST_CASE("nobody listens") {
  Address address;
  {
    ScriptedServer gone({});
    address = gone.address;
  }
  ScriptedServer other({});
  Asker client(other);
  client.site.address = address;
  CHECK(client.get() == Failure::connect);
  CHECK(client.traffic.connections == 1);
}

TEST_CASE("silence ends a wait, as stalled or as late") {
  ScriptedServer server({[](Peer& peer) { peer.read_end(); }});
  Asker client(server);
  const int64_t now_ns = client.world.core->now_ns();
  SUBCASE("no byte for too long") {
    client.connection->set_patience({.stall_ns = 20'000'000, .due_ns = now_ns + 60'000'000'000});
    CHECK(client.get() == Failure::stalled);
    CHECK(client.world.core->now_ns() - now_ns >= 20'000'000);
  }
  SUBCASE("the whole try took too long") {
    client.connection->set_patience({.stall_ns = 60'000'000'000, .due_ns = now_ns + 20'000'000});
    CHECK(client.get() == Failure::timed_out);
  }
  SUBCASE("the storm is over") {
    Timer timer([](void* connection) { static_cast<Connection*>(connection)->stop(); }, &*client.connection);
    client.world.core->timers().arm(timer, now_ns + 10'000'000);
    CHECK(client.get() == Failure::timed_out);
    CHECK(client.get() == Failure::timed_out);  // and stays so
  }
  CHECK_FALSE(client.connection->is_open());
}

TEST_CASE("a body without a byte for too long has stalled") {
  ScriptedServer server({[](Peer& peer) {
    peer.read_head();
    peer.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
    peer.read_end();
  }});
  Asker client(server);
  client.connection->set_patience({.stall_ns = 20'000'000, .due_ns = 0});
  CHECK(client.get() == Failure::stalled);
  CHECK(client.taken.bytes == "abc");
}

TEST_CASE("what a server says of itself is noticed") {
  ScriptedServer server({[](Peer& peer) {
    peer.read_head();
    peer.answer("401 Unauthorized", "no",
                "WWW-Authenticate: Bearer realm=x\r\nWWW-Authenticate: basic realm=y\r\n");
    peer.read_head();
    peer.answer("503 Service Unavailable", "busy", "Retry-After: 3\r\n");
    peer.read_head();
    peer.answer("301 Moved Permanently", "", "Location: /new/info/refs?service=git-upload-pack\r\n");
    peer.read_end();
  }});
  Asker client(server);
  CHECK(client.get() == Failure::none);
  CHECK(client.answer.status == 401);
  CHECK(client.answer.offers_basic);
  CHECK(client.answer.offers_bearer);
  CHECK(client.get() == Failure::none);
  CHECK(client.answer.retry_after);
  CHECK_FALSE(client.answer.offers_basic);
  CHECK(client.get() == Failure::none);
  CHECK(client.answer.location == "/new/info/refs?service=git-upload-pack");
  client.connection->close();
}

TEST_CASE("compressed answers are inflated, damaged ones are not taken") {
  std::string text;
  for (int i = 0; i < 50'000; ++i) text += std::to_string(i % 1000 * i);
  const std::string packed = gzipped(text);
  ScriptedServer server({[&](Peer& peer) {
    peer.read_head();
    peer.answer("200 OK", packed, "Content-Encoding: gzip\r\n");
    peer.read_head();
    peer.answer("200 OK", packed.substr(0, packed.size() / 2), "Content-Encoding: gzip\r\n");
    peer.read_end();
  }});
  Asker client(server);
  CHECK(client.get() == Failure::none);
  CHECK(client.taken.bytes == text);
  CHECK(client.get() == Failure::truncated);
}

TEST_CASE("who has seen enough gets no more, and the connection is gone") {
  ScriptedServer server({[](Peer& peer) {
    peer.read_head();
    peer.write("HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n");
    const std::string piece(100'000, 'x');
    while (peer.write(piece)) {
    }
  }});
  Asker client(server);
  client.taken.enough = 50'000;
  CHECK(client.get() == Failure::none);
  CHECK(client.answer.was_cut);
  CHECK(client.taken.bytes.size() < 2'000'000);
  client.connection->reset();
}

TEST_CASE("a body is sent in chunks as it is made") {
  struct Three : BodySource {
    int left = 3;
    std::string_view next() override {
      return left-- > 0 ? std::string_view("0123456789abcdefg") : std::string_view();
    }
  } three;
  std::string body;
  const std::string expected =
      "11\r\n0123456789abcdefg\r\n11\r\n0123456789abcdefg\r\n11\r\n0123456789abcdefg\r\n0\r\n\r\n";
  ScriptedServer server({[&](Peer& peer) {
    peer.read_head();
    body = peer.read(expected.size());
    peer.answer("200 OK", "");
    peer.read_end();
  }});
  Asker client(server);
  CHECK(client.get("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", &three) ==
        Failure::none);
  client.connection->close();
  server.end();
  CHECK(body == expected);
}

// Counted, not timed: a server can't get rid of more than the bucket lets through and the two kernels hold.
TEST_CASE("a server feels a slow reader") {
  constexpr uint64_t rate = 64 * 1024;
  size_t written = 0;
  ScriptedServer server({[&](Peer& peer) {
    const int small = 4096;
    setsockopt(peer.fd(), SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    peer.read_head();
    peer.write("HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n");
    const std::string piece(1000, 'x');
    while (peer.write(piece)) written += piece.size();
  }});
  Asker client(server);
  const int64_t begun_ns = client.world.core->now_ns();
  const Pace pace = Pace::of(rate);
  TokenBucket bucket(rate, pace.receive_bytes, begun_ns);
  client.connection->set_pace(pace, bucket);
  client.connection->set_patience({.stall_ns = 0, .due_ns = begun_ns + 500'000'000});
  CHECK(client.get() == Failure::timed_out);
  const double seconds = static_cast<double>(client.world.core->now_ns() - begun_ns) / 1e9;
  const size_t taken = client.taken.bytes.size();
  CHECK(static_cast<double>(taken) <= seconds * rate + static_cast<double>(2 * pace.receive_bytes));
  CHECK(taken >= rate / 8);
  server.end();
  CHECK(written < taken + 256 * 1024);
}
