// What the proxy relies on of its kernel, as scripts that run on the real one and on the simulated one
// (machine.h): where the two differ, the simulator would test a proxy that nobody runs. docs/testing.md has
// the list. Each test says one behaviour; what Linux leaves open is not asserted.
#include <doctest/doctest.h>
#include <poll.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ring/ring.h"
#include "ring/sys.h"
#include "sim/behaviour/machine.h"

using namespace breakwater;
using namespace breakwater::behaviour;

namespace {

constexpr size_t buffer_bytes = 4096;

// An operation that remembers what it was told.
struct Call : Op {
  std::vector<int32_t> results;
  std::vector<bool> selected;
  Call() {
    on_complete = [](Op& op) {
      Call& self = static_cast<Call&>(op);
      self.results.push_back(op.result);
      self.selected.push_back(op.buffer_selected);
    };
  }
};

struct Script {
  Machine machine;
  std::string why;
  std::unique_ptr<Ring> ring = Ring::open(64, why);
  std::array<char, 2 * buffer_bytes> memory{};
  Address here;
  int listener = -1;
  Call accepting;

  Script() {
    REQUIRE_MESSAGE(ring != nullptr, why);
    here.bytes = sizeof(sockaddr_in);
    here.v4.sin_family = AF_INET;
    here.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listener = sys::listen_on(here, 10, true);
    REQUIRE(listener >= 0);
    accepting.kind = Op::Kind::accept;
    accepting.fd = listener;
    ring->submit(accepting);
    turn();
  }
  ~Script() {
    ring->cancel(accepting);
    until([this] { return !accepting.in_flight; });
    sys::close(listener);
  }

  void turn() {
    machine.settle();
    ring->wait(0);
    ring->dispatch();
  }
  // For what must not happen: long enough that it would have.
  void turns() {
    for (int count = 0; count < 5; count++) turn();
  }
  template <typename Condition>
  bool until(Condition condition) {
    for (int count = 0; count < 1000; count++) {
      if (condition()) return true;
      turn();
    }
    return false;
  }
  bool ended(const Call& call) {
    return until([&call] { return !call.in_flight; });
  }
  // Of one that goes on.
  bool heard(const Call& call, size_t times = 1) {
    return until([&] { return call.results.size() >= times; });
  }
  // The one result of a one-shot operation on `fd`.
  int32_t result_of(Call& call) {
    call.results.clear();
    ring->submit(call);
    REQUIRE(ended(call));
    REQUIRE(call.results.size() == 1);
    return call.results[0];
  }
  void start(Call& call) {
    call.results.clear();
    ring->submit(call);
    turns();
  }
};

// A connection that the far side made to us.
struct Connection {
  Script& script;
  int far, fd;
  bool closed = false;
  explicit Connection(Script& the_script) : script(the_script) {
    script.accepting.results.clear();
    far = script.machine.far_connects(script.here);
    REQUIRE(script.until([this] { return !script.accepting.results.empty(); }));
    fd = script.accepting.results[0];
    REQUIRE(fd >= 0);
    sys::tune_connection(fd);
  }
  ~Connection() { close(); }
  void close() {
    if (!closed) sys::close(fd);
    closed = true;
  }
  FarSees far_sees() {
    FarSees sees = FarSees::open;
    script.until([&] { return (sees = script.machine.far_sees(far)) != FarSees::open; });
    return sees;
  }
  // Until the other side's window and our own room are full.
  size_t fill() {
    script.machine.fix_room(fd);
    const std::string bytes(1 << 16, 'f');
    size_t total = 0;
    for (bool is_stuck = false;;) {
      const int64_t sent = sys::send_now(fd, bytes.data(), bytes.size(), false);
      if (sent > 0) {
        total += static_cast<size_t>(sent);
        is_stuck = false;
        continue;
      }
      CHECK(sent == -EAGAIN);
      if (is_stuck) return total;
      script.machine.settle();
      is_stuck = script.machine.is_stuck(fd);
    }
  }
};

struct Receive : Call {
  std::string bytes;
  explicit Receive(int of, size_t room = 100) : bytes(room, '\0') {
    kind = Kind::receive;
    fd = of;
    data = bytes.data();
    this->Op::bytes = room;
  }
  std::string_view got() const { return {bytes.data(), static_cast<size_t>(results.at(0))}; }
};

struct Send : Call {
  std::string bytes;
  Send(int to, std::string what) : bytes(std::move(what)) {
    kind = Kind::send;
    fd = to;
    data = bytes.data();
    this->Op::bytes = bytes.size();
  }
};

struct Poll : Call {
  Poll(Kind what, int of) {
    kind = what;
    fd = of;
  }
};

struct Selected : Call {
  explicit Selected(int of, bool waits_first = false) {
    kind = Kind::receive_selected;
    fd = of;
    group = 0;
    poll_first = waits_first;
  }
};

}  // namespace

TEST_CASE("accept: one operation gives every connection, and stays armed") {
  Script script;
  script.machine.far_connects(script.here);
  REQUIRE(script.until([&] { return script.accepting.results.size() == 1; }));
  script.machine.far_connects(script.here);
  REQUIRE(script.until([&] { return script.accepting.results.size() == 2; }));
  CHECK(script.accepting.more);
  CHECK(script.accepting.in_flight);
  for (const int32_t fd : script.accepting.results) sys::close(fd);
}

TEST_CASE("accept: a connection that was closed before it is accepted still comes, and then ends") {
  Script script;
  const int far = script.machine.far_connects(script.here);
  script.machine.far_closes(far);
  REQUIRE(script.until([&] { return script.accepting.results.size() == 1; }));
  Receive receive(script.accepting.results[0]);
  CHECK(script.result_of(receive) == 0);
  sys::close(script.accepting.results[0]);
}

TEST_CASE("connect: 0 where somebody listens, ECONNREFUSED where nobody does") {
  Script script;
  Address there = script.machine.far_listener();
  Address nobody = script.machine.nobody();
  for (const Address* const to : {&there, &nobody}) {
    Call call;
    call.kind = Op::Kind::connect;
    call.fd = sys::stream_socket(*to);
    call.address = &to->any;
    call.address_bytes = to->bytes;
    CHECK(script.result_of(call) == (to == &there ? 0 : -ECONNREFUSED));
    if (to == &there) {
      const int far = script.machine.far_accepts();
      Send send(call.fd, "hello");
      CHECK(script.result_of(send) == 5);
      std::string heard;
      CHECK(script.until([&] { return (heard += script.machine.far_receives(far)) == "hello"; }));
    }
    sys::close(call.fd);
  }
}

TEST_CASE("receive: waits for bytes, and then has what is there") {
  Script script;
  Connection connection(script);
  Receive receive(connection.fd);
  script.start(receive);
  CHECK(receive.in_flight);
  script.machine.far_sends(connection.far, "hello");
  REQUIRE(script.ended(receive));
  CHECK(receive.got() == "hello");
}

TEST_CASE("receive: takes what it has room for; the rest stays") {
  Script script;
  Connection connection(script);
  script.machine.far_sends(connection.far, "hello");
  script.turns();
  Receive two(connection.fd, 2);
  CHECK(script.result_of(two) == 2);
  Receive rest(connection.fd);
  CHECK(script.result_of(rest) == 3);
  CHECK(rest.got() == "llo");
}

TEST_CASE("receive selected: a buffer of the group, only when there are bytes") {
  Script script;
  REQUIRE(script.ring->make_group(0, script.memory.data(), buffer_bytes, buffer_bytes, 2));
  script.ring->provide(0, 0);
  script.ring->provide(0, 1);
  Connection connection(script);
  Selected receive(connection.fd);
  script.start(receive);
  CHECK(receive.in_flight);
  script.machine.far_sends(connection.far, "hello");
  REQUIRE(script.ended(receive));
  CHECK(receive.results[0] == 5);
  REQUIRE(receive.selected[0]);
  CHECK(std::string_view(script.memory.data() + receive.buffer_id * buffer_bytes, 5) == "hello");
  script.ring->provide(0, receive.buffer_id);
}

TEST_CASE("receive selected: without a free buffer it ends with ENOBUFS") {
  Script script;
  REQUIRE(script.ring->make_group(0, script.memory.data(), buffer_bytes, buffer_bytes, 1));
  script.ring->provide(0, 0);
  Connection first(script);
  Connection second(script);
  script.machine.far_sends(first.far, "a");
  Selected takes(first.fd);
  REQUIRE(script.result_of(takes) == 1);

  SUBCASE("at once, even if there is nothing to read") {
    Selected receive(second.fd);
    CHECK(script.result_of(receive) == -ENOBUFS);
    CHECK_FALSE(receive.selected[0]);
  }
  SUBCASE("only when there is something to read, if it polls first") {
    Selected receive(second.fd, true);
    script.start(receive);
    CHECK(receive.in_flight);
    script.machine.far_sends(second.far, "b");
    REQUIRE(script.ended(receive));
    CHECK(receive.results[0] == -ENOBUFS);
  }
  SUBCASE("and the bytes are not lost") {
    script.machine.far_sends(second.far, "b");
    script.turns();
    Selected receive(second.fd);
    CHECK(script.result_of(receive) == -ENOBUFS);
    script.ring->provide(0, takes.buffer_id);
    CHECK(script.result_of(receive) == 1);
    CHECK(script.memory[0] == 'b');
  }
  SUBCASE("until one is given back") {
    script.ring->provide(0, takes.buffer_id);
    Selected receive(second.fd);
    script.start(receive);
    CHECK(receive.in_flight);
    script.machine.far_sends(second.far, "b");
    REQUIRE(script.ended(receive));
    CHECK(receive.results[0] == 1);
  }
}

TEST_CASE("the end: after the bytes, every receive has 0") {
  Script script;
  REQUIRE(script.ring->make_group(0, script.memory.data(), buffer_bytes, buffer_bytes, 1));
  script.ring->provide(0, 0);
  Connection connection(script);
  script.machine.far_sends(connection.far, "last");
  script.machine.far_ends(connection.far);
  script.turns();
  Receive receive(connection.fd);
  CHECK(script.result_of(receive) == 4);
  CHECK(script.result_of(receive) == 0);
  CHECK(script.result_of(receive) == 0);
  Selected selected(connection.fd);  // with a buffer or without: both happen
  CHECK(script.result_of(selected) == 0);
  CHECK_FALSE(sys::nothing_to_read(connection.fd));
  Send send(connection.fd, "still open");
  CHECK(script.result_of(send) == 10);
}

TEST_CASE("a reset: bytes that came before it can still be read, then ECONNRESET once, then 0") {
  Script script;
  Connection connection(script);
  script.machine.far_sends(connection.far, "last");
  script.turns();
  script.machine.far_resets(connection.far);
  script.turns();
  Receive receive(connection.fd);
  CHECK(script.result_of(receive) == 4);
  CHECK(script.result_of(receive) == -ECONNRESET);
  CHECK(script.result_of(receive) == 0);
}

TEST_CASE("a reset is told once: whoever sends hears of it, and whoever receives then sees an orderly end") {
  Script script;
  Connection connection(script);
  script.machine.far_resets(connection.far);
  script.turns();
  Send send(connection.fd, "x");
  CHECK(script.result_of(send) == -ECONNRESET);
  CHECK(script.result_of(send) == -EPIPE);
  Receive receive(connection.fd);
  CHECK(script.result_of(receive) == 0);
}

TEST_CASE("a reset ends an armed receive") {
  Script script;
  Connection connection(script);
  Receive receive(connection.fd);
  script.start(receive);
  script.machine.far_resets(connection.far);
  REQUIRE(script.ended(receive));
  CHECK(receive.results[0] == -ECONNRESET);
}

TEST_CASE("a reset after the end: EPIPE") {
  Script script;
  Connection connection(script);
  script.machine.far_ends(connection.far);
  script.turns();
  script.machine.far_resets(connection.far);
  script.turns();
  Send send(connection.fd, "x");
  CHECK(script.result_of(send) == -EPIPE);
}

TEST_CASE("a close with everything read is an orderly end, and what was sent arrives first") {
  Script script;
  Connection connection(script);
  Send send(connection.fd, "bye");
  CHECK(script.result_of(send) == 3);
  connection.close();
  std::string heard;
  CHECK(script.until([&] { return (heard += script.machine.far_receives(connection.far)) == "bye"; }));
  CHECK(connection.far_sees() == FarSees::end);
}

TEST_CASE("a close with unread bytes is a reset") {
  Script script;
  Connection connection(script);
  script.machine.far_sends(connection.far, "unread");
  script.turns();
  connection.close();
  CHECK(connection.far_sees() == FarSees::reset);
}

TEST_CASE("a close is a reset where that was asked for") {
  Script script;
  Connection connection(script);
  sys::reset_on_close(connection.fd);
  connection.close();
  CHECK(connection.far_sees() == FarSees::reset);
}

TEST_CASE("bytes sent to a closed connection are answered with a reset") {
  Script script;
  Connection connection(script);
  script.machine.far_closes(connection.far);
  script.turns();
  Send send(connection.fd, "x");
  CHECK(script.result_of(send) == 1);
  script.turns();
  CHECK(script.result_of(send) == -EPIPE);  // the end had arrived before
}

TEST_CASE("shutdown of the sending side: the far side sees the end, and can still send") {
  Script script;
  Connection connection(script);
  Send send(connection.fd, "bye");
  CHECK(script.result_of(send) == 3);
  CHECK(sys::shutdown_write(connection.fd) == 0);
  std::string heard;
  CHECK(script.until([&] { return (heard += script.machine.far_receives(connection.far)) == "bye"; }));
  CHECK(connection.far_sees() == FarSees::end);
  script.machine.far_sends(connection.far, "thanks");
  Receive receive(connection.fd);
  CHECK(script.result_of(receive) == 6);
  CHECK(script.result_of(send) == -EPIPE);
}

TEST_CASE("an abort: the far side sees a reset, and nothing here waits any longer") {
  Script script;
  Connection connection(script);
  connection.fill();
  Receive receive(connection.fd);
  Send send(connection.fd, "no room");
  Poll gone(Op::Kind::poll_gone, connection.fd);
  script.start(receive);
  script.start(send);
  script.start(gone);
  CHECK(receive.in_flight);
  CHECK(send.in_flight);
  CHECK(gone.in_flight);
  CHECK(sys::abort_connection(connection.fd) == 0);
  REQUIRE(script.ended(receive));
  REQUIRE(script.ended(send));
  REQUIRE(script.heard(gone));
  CHECK(receive.results[0] < 0);
  CHECK(send.results[0] < 0);
  CHECK((gone.results[0] & (POLLHUP | POLLERR)) != 0);  // Linux says one of them, or both
  CHECK(script.result_of(receive) < 0);
  script.ring->cancel(gone);
  REQUIRE(script.ended(gone));
  connection.close();
  script.until([&] {
    script.machine.far_receives(connection.far);
    return script.machine.far_sees(connection.far) != FarSees::open;
  });
}

TEST_CASE("an abort is seen as a reset, also by who has read everything") {
  Script script;
  Connection connection(script);
  CHECK(sys::abort_connection(connection.fd) == 0);
  CHECK(connection.far_sees() == FarSees::reset);
}

TEST_CASE("poll gone: nothing while the far side only sends; its end; both ends; a reset") {
  Script script;
  Connection connection(script);
  Poll gone(Op::Kind::poll_gone, connection.fd);
  script.start(gone);
  script.machine.far_sends(connection.far, "x");
  script.turns();
  CHECK(gone.in_flight);

  SUBCASE("end") {
    script.machine.far_ends(connection.far);
    REQUIRE(script.heard(gone));
    script.turns();
    CHECK(gone.results == std::vector<int32_t>{POLLRDHUP});  // once, and not as long as it lasts
    CHECK(gone.in_flight);
    script.machine.far_resets(connection.far);
    REQUIRE(script.heard(gone, 2));
    CHECK((gone.results[1] & (POLLHUP | POLLERR)) != 0);
  }
  SUBCASE("both ends") {
    sys::shutdown_write(connection.fd);
    script.machine.far_ends(connection.far);
    REQUIRE(script.heard(gone));
    script.turns();
    CHECK(gone.results.back() == (POLLRDHUP | POLLHUP));
  }
  SUBCASE("reset") {
    script.machine.far_resets(connection.far);
    REQUIRE(script.heard(gone));
    CHECK(gone.results[0] == (POLLRDHUP | POLLHUP | POLLERR));
  }
  script.ring->cancel(gone);
  REQUIRE(script.ended(gone));
}

TEST_CASE("poll readable: bytes, and the end") {
  Script script;
  Connection connection(script);
  Poll readable(Op::Kind::poll_readable, connection.fd);
  script.start(readable);
  CHECK(readable.in_flight);
  script.machine.far_sends(connection.far, "x");
  REQUIRE(script.ended(readable));
  CHECK((readable.results[0] & POLLIN) != 0);
  Receive receive(connection.fd);
  CHECK(script.result_of(receive) == 1);
  script.machine.far_ends(connection.far);
  CHECK((script.result_of(readable) & POLLIN) != 0);
}

TEST_CASE("poll writable and send: wait while there is no room, and go on when the far side has read") {
  Script script;
  Connection connection(script);
  connection.fill();
  Poll writable(Op::Kind::poll_writable, connection.fd);
  Send send(connection.fd, "more");
  script.start(writable);
  script.start(send);
  CHECK(writable.in_flight);
  CHECK(send.in_flight);
  REQUIRE(script.until([&] {
    script.machine.far_receives(connection.far);
    return !send.in_flight && !writable.in_flight;
  }));
  CHECK(send.results[0] == 4);
  CHECK((writable.results[0] & POLLOUT) != 0);
}

TEST_CASE("send: a part, if there is not room for all") {
  Script script;
  Connection connection(script);
  Send send(connection.fd, std::string(64 << 20, 'x'));
  const int32_t sent = script.result_of(send);
  CHECK(sent > 0);
  CHECK(static_cast<size_t>(sent) < send.bytes.size());
}

TEST_CASE("send message: all its parts, in order") {
  Script script;
  Connection connection(script);
  std::string one = "one ", two = "two";
  iovec parts[] = {{one.data(), one.size()}, {two.data(), two.size()}};
  msghdr message{};
  message.msg_iov = parts;
  message.msg_iovlen = 2;
  Call send;
  send.kind = Op::Kind::send_message;
  send.fd = connection.fd;
  send.message = &message;
  CHECK(script.result_of(send) == 7);
  std::string heard;
  CHECK(script.until([&] { return (heard += script.machine.far_receives(connection.far)) == "one two"; }));
}

TEST_CASE("send: what may be held back is there when the end is") {
  Script script;
  Connection connection(script);
  Send send(connection.fd, "bye");
  send.hold = true;
  CHECK(script.result_of(send) == 3);
  connection.close();
  std::string heard;
  CHECK(script.until([&] { return (heard += script.machine.far_receives(connection.far)) == "bye"; }));
  CHECK(connection.far_sees() == FarSees::end);
}

TEST_CASE("cancel: what waits ends with ECANCELED") {
  Script script;
  Connection connection(script);
  Receive receive(connection.fd);
  Poll gone(Op::Kind::poll_gone, connection.fd);
  for (Call* const call : std::initializer_list<Call*>{&receive, &gone}) {
    script.start(*call);
    script.ring->cancel(*call);
    REQUIRE(script.ended(*call));
    CHECK(call->results.at(0) == -ECANCELED);
  }
}

TEST_CASE("cancel: too late for what is done, whose result stays") {
  Script script;
  Connection connection(script);
  script.machine.far_sends(connection.far, "hello");
  script.turns();
  Receive receive(connection.fd);
  script.ring->submit(receive);
  script.ring->wait(0);
  script.ring->cancel(receive);
  script.ring->dispatch();
  script.turns();
  REQUIRE(receive.results.size() == 1);
  CHECK(receive.results[0] == 5);
}

TEST_CASE("peek: nothing, bytes, the end, a reset") {
  Script script;
  Connection connection(script);
  CHECK(sys::nothing_to_read(connection.fd));
  SUBCASE("bytes") {
    script.machine.far_sends(connection.far, "x");
  }
  SUBCASE("end") {
    script.machine.far_ends(connection.far);
  }
  SUBCASE("reset") {
    script.machine.far_resets(connection.far);
  }
  script.turns();
  CHECK_FALSE(sys::nothing_to_read(connection.fd));
}

TEST_CASE("receive now: takes what is there, and the end; it never waits") {
  Script script;
  Connection connection(script);
  std::string seen(10, '\0');
  CHECK(sys::receive_now(connection.fd, seen.data(), 10) == -EAGAIN);
  script.machine.far_sends(connection.far, "hello");
  script.turns();
  CHECK(sys::receive_now(connection.fd, seen.data(), 3) == 3);
  CHECK(sys::receive_now(connection.fd, seen.data() + 3, 7) == 2);
  CHECK(seen.substr(0, 5) == "hello");
  CHECK(sys::receive_now(connection.fd, seen.data(), 10) == -EAGAIN);
  script.machine.far_ends(connection.far);
  script.turns();
  CHECK(sys::receive_now(connection.fd, seen.data(), 10) == 0);
}

TEST_CASE("peek: copies bytes without taking them; the end, and a reset that is told once") {
  Script script;
  Connection connection(script);
  std::string seen(10, '\0');
  CHECK(sys::peek(connection.fd, seen.data(), 10) == -EAGAIN);
  script.machine.far_sends(connection.far, "hello");
  script.turns();
  CHECK(sys::peek(connection.fd, seen.data(), 3) == 3);
  CHECK(sys::peek(connection.fd, seen.data(), 10) == 5);
  CHECK(seen.substr(0, 5) == "hello");
  Receive receive(connection.fd);
  CHECK(script.result_of(receive) == 5);
  SUBCASE("end") {
    script.machine.far_ends(connection.far);
    script.turns();
    CHECK(sys::peek(connection.fd, seen.data(), 10) == 0);
  }
  SUBCASE("reset") {
    script.machine.far_resets(connection.far);
    script.turns();
    CHECK(sys::peek(connection.fd, seen.data(), 10) == -ECONNRESET);
    CHECK(sys::peek(connection.fd, seen.data(), 10) == 0);
  }
}

TEST_CASE(
    "low water: polls and receives wait for so many bytes; more of them, a lower mark and the end wake "
    "them") {
  for (const bool receives : {false, true}) {
    for (int event = 0; event < 3; event++) {
      CAPTURE(receives);
      CAPTURE(event);
      Script script;
      Connection connection(script);
      sys::set_low_water(connection.fd, 100);
      Poll poll(Op::Kind::poll_readable, connection.fd);
      Receive receive(connection.fd);
      Call& waits = receives ? static_cast<Call&>(receive) : poll;
      script.start(waits);
      script.machine.far_sends(connection.far, std::string(50, 'x'));
      script.turns();
      CHECK(waits.in_flight);
      if (event == 0) script.machine.far_sends(connection.far, std::string(50, 'x'));
      if (event == 1) sys::set_low_water(connection.fd, 1);
      if (event == 2) script.machine.far_ends(connection.far);
      CHECK(script.ended(waits));
      if (receives) CHECK(waits.results.at(0) == (event == 0 ? 100 : 50));
    }
  }
}

TEST_CASE("the progress of a peer: what it acknowledged, and what it sent, read or not") {
  Script script;
  Connection connection(script);
  sys::PeerProgress before, after;
  REQUIRE(sys::peer_progress(connection.fd, before));
  script.machine.far_sends(connection.far, std::string(70, 'x'));
  CHECK(sys::send_now(connection.fd, script.memory.data(), 300, false) == 300);
  CHECK(script.until([&] {
    return sys::peer_progress(connection.fd, after) && after.given - before.given == 70 &&
           after.taken - before.taken == 300;
  }));
}

TEST_CASE("bytes are read while the receive is submitted, so that they have landed after the next wait") {
  Script script;
  Connection connection(script);
  script.machine.far_sends(connection.far, "x");
  script.turns();
  Receive receive(connection.fd);
  script.ring->submit(receive);
  script.ring->wait(0);
  CHECK(receive.landed);
  script.ring->dispatch();
  CHECK_FALSE(receive.landed);
  CHECK(receive.results.size() == 1);
}

TEST_CASE("splice into a pipe: nothing, bytes, a full pipe, the end") {
  Script script;
  Connection connection(script);
  sys::PipeEnds pipe;
  REQUIRE(sys::make_pipe(pipe, 16384) == 0);
  CHECK(pipe.capacity == 16384);
  CHECK(sys::splice_now(connection.fd, pipe.write, 1000, false) == -EAGAIN);
  script.machine.far_sends(connection.far, "hello");
  script.turns();
  CHECK(sys::splice_now(connection.fd, pipe.write, 2, false) == 2);
  CHECK(sys::splice_now(connection.fd, pipe.write, 1000, false) == 3);
  script.machine.far_ends(connection.far);
  script.turns();
  CHECK(sys::splice_now(connection.fd, pipe.write, 1000, false) == 0);

  CHECK(sys::splice_now(pipe.read, connection.fd, 3, false) == 3);
  CHECK(sys::splice_now(pipe.read, connection.fd, 1000, false) == 2);
  CHECK(sys::splice_now(pipe.read, connection.fd, 1000, false) == -EAGAIN);
  std::string heard;
  CHECK(script.until([&] { return (heard += script.machine.far_receives(connection.far)) == "hello"; }));
  sys::close(pipe.read);
  sys::close(pipe.write);
}

TEST_CASE("splice into a full pipe: EAGAIN; it is full of pieces before it is full of bytes") {
  Script script;
  Connection connection(script);
  sys::PipeEnds pipe;
  REQUIRE(sys::make_pipe(pipe, 8192) == 0);  // two pages: two pieces
  script.machine.far_sends(connection.far, "hello");
  script.turns();
  CHECK(sys::splice_now(connection.fd, pipe.write, 1, false) == 1);
  CHECK(sys::splice_now(connection.fd, pipe.write, 1, false) == 1);
  CHECK(sys::splice_now(connection.fd, pipe.write, 1, false) == -EAGAIN);
  CHECK(sys::splice_now(pipe.read, connection.fd, 1, false) == 1);
  CHECK(sys::splice_now(connection.fd, pipe.write, 65536, false) == 3);
  CHECK(sys::splice_now(pipe.read, connection.fd, 65536, false) == 4);
  sys::close(pipe.read);
  sys::close(pipe.write);
}

TEST_CASE("splice out of a pipe: a full connection says EAGAIN; a reset is told once") {
  Script script;
  Connection source(script);
  Connection sink(script);
  sys::PipeEnds pipe;
  REQUIRE(sys::make_pipe(pipe, 65536) == 0);
  script.machine.far_sends(source.far, std::string(1000, 'x'));
  script.turns();
  REQUIRE(sys::splice_now(source.fd, pipe.write, 65536, false) == 1000);
  sink.fill();
  CHECK(sys::splice_now(pipe.read, sink.fd, 65536, false) == -EAGAIN);
  script.machine.far_resets(sink.far);
  script.turns();
  CHECK(sys::splice_now(pipe.read, sink.fd, 65536, false) == -ECONNRESET);
  CHECK(sys::splice_now(pipe.read, sink.fd, 65536, false) == -EPIPE);
  script.machine.far_resets(source.far);
  script.turns();
  sys::close(pipe.read);
  sys::close(pipe.write);
  REQUIRE(sys::make_pipe(pipe, 65536) == 0);
  CHECK(sys::splice_now(source.fd, pipe.write, 65536, false) == -ECONNRESET);
  sys::close(pipe.read);
  sys::close(pipe.write);
}

TEST_CASE("an eventfd: a read waits for a signal, and has the number of signals") {
  Script script;
  const int event = sys::make_event();
  uint64_t count = 0;
  Call read;
  read.kind = Op::Kind::read;
  read.fd = event;
  read.data = &count;
  read.bytes = sizeof count;
  script.start(read);
  CHECK(read.in_flight);
  sys::signal_event(event);
  REQUIRE(script.ended(read));
  CHECK(read.results[0] == sizeof count);
  CHECK(count == 1);
  sys::signal_event(event);
  sys::signal_event(event);
  CHECK(script.result_of(read) == sizeof count);
  CHECK(count == 2);
  sys::close(event);
}

TEST_CASE("addresses: both ends know each other") {
  Script script;
  Connection connection(script);
  Address peer, local;
  CHECK(sys::peer_address(connection.fd, peer) == 0);
  CHECK(sys::local_address(connection.fd, local) == 0);
  CHECK(peer.host_text() == "127.0.0.1");
  CHECK(local.port() == script.here.port());
}
