// Simulated clients: they know byte for byte what each of their requests should get, and what the proxy may
// do when something in the scenario went wrong. Some of them behave badly themselves.
#include <algorithm>
#include <charconv>
#include <memory>

#include "sim/verdict.h"
#include "sim/world.h"
#include "wire/pkt_line.h"

namespace breakwater::sim {

namespace {

enum class Result : uint8_t {
  whole,  // the answer its plan promised, every byte
  own,    // a reply of the proxy, with its status
  cut,    // visibly short: a body that was not completed, or a reset
  none,   // the connection ended without a byte of an answer
  late,   // nothing came for longer than every timeout together
};

struct Outcome {
  Result result = Result::none;
  uint16_t status = 0;
  bool keep = false;  // the connection may carry another request
};

std::string request_head(const RequestPlan& plan, bool authorized) {
  std::string head =
      std::string(plan.method()) + " " + plan.target() + (plan.http_1_0 ? " HTTP/1.0" : " HTTP/1.1") + "\r\n";
  head += "Host: git.example\r\nX-Sim-Plan: " + std::to_string(plan.id) + "\r\nX-Sim-Check: check " +
          std::to_string(plan.id) + "\r\nX-WEBAUTH-USER: root\r\nRemote_User: root\r\n";
  if (plan.version_2 && plan.kind <= Kind::receive_pack) head += "Git-Protocol: version=2\r\n";
  if (plan.kind == Kind::upload_pack) head += "Content-Type: application/x-git-upload-pack-request\r\n";
  if (plan.kind == Kind::receive_pack) head += "Content-Type: application/x-git-receive-pack-request\r\n";
  if (authorized) head += "Authorization: Basic c2ltOnNpbQ==\r\n";
  if (plan.expects_continue) head += "Expect: 100-continue\r\n";
  if (plan.kind == Kind::websocket) {
    head +=
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: "
        "c2ltc2ltc2ltc2ltc2ltcw==\r\nSec-WebSocket-Version: 13\r\n";
  } else if (plan.client_closes) {
    head += "X-Hop: 1\r\nConnection: close, X-Hop\r\n";
  } else if (!plan.http_1_0) {
    head += "X-Hop: 1\r\nConnection: X-Hop\r\n";
  }
  if (plan.request_framing == Framing::length)
    head += "Content-Length: " + std::to_string(plan.request_body().size()) + "\r\n";
  if (plan.request_framing == Framing::chunked) head += "Transfer-Encoding: chunked\r\n";
  return head + "\r\n";
}

std::string framed_body(const RequestPlan& plan) {
  std::string body = plan.request_body();
  if (plan.request_framing == Framing::none) return "";
  if (plan.request_framing == Framing::length) return body;
  return in_chunks(body,
                   plan.request_bytes < 500 ? 7
                   : plan.chunk < 100       ? 1000
                                            : plan.chunk,
                   plan.upper_case, false, plan.trailer);
}

// What is left of an upload-pack answer without progress, nor a packet of that that is cut.
std::string content_of(std::string_view answer) {
  std::string content;
  while (!answer.empty()) {
    const wire::PktLine line = wire::read_pkt_line(answer);
    const bool is_cut = line.bytes == 0;
    const std::string_view packet = answer.substr(0, is_cut ? answer.size() : line.bytes);
    const bool is_progress = packet == "0005\x01" || packet.substr(0, 5).ends_with('\x02');
    if (!is_progress && !(is_cut && packet.size() < 5)) content += packet;
    answer.remove_prefix(packet.size());
  }
  return content;
}

// Is `body` an answer that one server began and another one went on with, behind nothing but progress? Or one
// that was cut, and says so, because nobody did.
bool is_pack_of_another(std::string_view expected, std::string_view body, bool whole) {
  const std::string content = content_of(body);
  const std::string right = content_of(expected);
  if (whole) return content == right;
  const size_t end = content.find(
      "\x03"
      "breakwater: ");
  if (end == std::string::npos) return right.starts_with(content);
  const size_t opening = expected.find('\n') + 1;
  return end == opening + 4 && content.starts_with(expected.substr(0, opening));
}

// The sending half of a request, beside the reading half.
struct Sending {
  bool continue_seen = false;  // or an answer: don't wait for 100 any more
  bool done = false;
  bool sent = false;
};

class Client {
 public:
  Client(World& world, const ClientPlan& plan) : world_(world), kernel_(world.kernel), plan_(plan) {}

  static Task<void> live(World& world, const ClientPlan& plan);

 private:
  Task<void> run();
  Task<bool> connect();
  Task<void> ask_all_at_once();
  Task<Outcome> ask(const RequestPlan& plan);
  Task<Outcome> misbehave_in_head(const RequestPlan& plan);
  Task<Outcome> exchange(const RequestPlan& plan, bool authorized);
  Task<Outcome> read_answer(const RequestPlan& plan, bool authorized, Sending& sending);
  Task<Outcome> talk(const RequestPlan& plan);
  static Task<void> send(Client& client, const RequestPlan& plan, std::string head, Sending& sending);
  void judge(const RequestPlan& plan, const Outcome& outcome);
  bool may_fail(const RequestPlan& plan, const Outcome& outcome) const;
  void check_affinity(const RequestPlan& plan, const Outcome& outcome);
  int64_t deadline() const { return kernel_.now_ns() + world_.patience_ns; }
  Outcome ended(Got got, bool after_head) const;

  World& world_;
  Kernel& kernel_;
  const ClientPlan& plan_;
  std::unique_ptr<Peer> peer_;
  std::map<uint32_t, int> server_of_;  // by repository, on this connection
};

Task<void> Client::live(World& world, const ClientPlan& plan) {
  const Sleep start{world.kernel, plan.starts_ns};
  co_await start;
  Client client(world, plan);
  co_await client.run();
}

Task<bool> Client::connect() {
  server_of_.clear();
  End* const end = kernel_.connect_to_proxy(world_.proxy, address_of(1000 + plan_.number, 40000));
  if (end == nullptr) {
    if (!world_.draining) violation("a connection was refused although nothing was drained");
    co_return false;
  }
  peer_ = std::make_unique<Peer>(kernel_, end);
  kernel_.trace("client", plan_.number, " opens connection ", end->connection);
  co_return true;
}

Task<void> Client::run() {
  if (plan_.pipelined) {
    const bool connected = co_await connect();
    if (connected) co_await ask_all_at_once();
    co_return;
  }
  for (const RequestPlan& plan : plan_.requests) {
    if (peer_ == nullptr) {
      const bool connected = co_await connect();
      if (!connected) co_return;
    }
    const Outcome outcome = co_await ask(plan);
    judge(plan, outcome);
    if (!outcome.keep) {
      peer_.reset();
      continue;
    }
    check_affinity(plan, outcome);
    if (kernel_.below(3) == 0) {
      const Sleep pause{kernel_, static_cast<int64_t>(kernel_.below(30'000'000))};
      co_await pause;
    }
  }
  if (peer_ != nullptr && kernel_.below(4) == 0) peer_->reset();
}

// RFC 9112 §9.3.2: several requests without waiting; the answers come in their order.
Task<void> Client::ask_all_at_once() {
  std::string all;
  for (const RequestPlan& plan : plan_.requests) all += request_head(plan, false) + framed_body(plan);
  Sending sending;
  world_.clients.spawn(send(*this, plan_.requests.front(), std::move(all), sending));
  bool open = true;
  for (const RequestPlan& plan : plan_.requests) {
    if (!open) break;
    const Outcome outcome = co_await read_answer(plan, true, sending);
    judge(plan, outcome);
    open = outcome.keep && !ends_early(plan.server_fault);
  }
  peer_->close();
  kernel_.wake(peer_->end());
  while (!sending.done) {
    const Sleep pause{kernel_, 1 * ms};
    co_await pause;
  }
}

Task<Outcome> Client::ask(const RequestPlan& plan) {
  kernel_.cover(name(plan.client_fault));
  switch (plan.client_fault) {
    case ClientFault::leaves_in_head:
    case ClientFault::stalls_in_head:
    case ClientFault::bad_head:
    case ClientFault::long_target:
    case ClientFault::large_head: {
      const Outcome outcome = co_await misbehave_in_head(plan);
      co_return outcome;
    }
    default:
      break;
  }
  if (plan.login) {
    const Outcome first = co_await exchange(plan, false);
    if (first.result != Result::whole) co_return first;
    if (!first.keep) {
      const bool connected = co_await connect();
      if (!connected) co_return Outcome{};
    }
  }
  const Outcome outcome = co_await exchange(plan, true);
  co_return outcome;
}

// A head that no server may see.
Task<Outcome> Client::misbehave_in_head(const RequestPlan& plan) {
  std::string head = request_head(plan, false);
  uint16_t expected = 0;
  switch (plan.client_fault) {
    case ClientFault::bad_head: {
      static constexpr std::string_view bad[] = {"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
                                                 "Spaced : out\r\n",
                                                 "Content-Length: 3\r\nContent-Length: 4\r\n",
                                                 " folded: 1\r\n",
                                                 "Transfer-Encoding: chunked, identity\r\n",
                                                 "Control: \x01\r\n"};
      head.insert(head.find("\r\n") + 2, bad[kernel_.below(std::size(bad))]);
      expected = 400;
      break;
    }
    case ClientFault::long_target:
      head.insert(head.find(" HTTP/"), "?" + std::string(9000, 'a'));
      expected = 414;
      break;
    case ClientFault::large_head:
      head.insert(head.find("\r\n") + 2, "X-Large: " + std::string(17'000, 'a') + "\r\n");
      expected = 431;
      break;
    case ClientFault::stalls_in_head:
      head.resize(1 + kernel_.below(head.size() - 4));
      expected = 408;
      break;
    default:
      head.resize(1 + kernel_.below(head.size() - 4));
  }
  const int64_t begun = kernel_.now_ns();
  const bool sent = co_await peer_->send(head, plan_.piece, deadline());
  if (!sent || plan.client_fault == ClientFault::leaves_in_head) {
    if (kernel_.below(2) == 0) peer_->reset();
    co_return Outcome{};
  }
  Sending sending;
  const Outcome outcome = co_await read_answer(plan, false, sending);
  const bool calm = world_.quiet && plan_.piece == 0;
  if (calm && (outcome.result != Result::own || outcome.status != expected)) {
    violation("request " + std::to_string(plan.id) + " got " + std::to_string(outcome.status) +
              " for a head that deserves " + std::to_string(expected));
  }
  if (calm && expected == 408 && kernel_.now_ns() - begun > head_timeout_ns + slack_ns)
    violation("408 came late");
  co_return outcome;
}

// Sends the request while its answer is read.
Task<Outcome> Client::exchange(const RequestPlan& plan, bool authorized) {
  Sending sending;
  world_.clients.spawn(send(*this, plan, request_head(plan, authorized), sending));
  Outcome outcome;
  switch (plan.client_fault) {
    case ClientFault::leaves_waiting: {
      const Sleep wait{kernel_, static_cast<int64_t>(kernel_.below(5'000'000))};
      co_await wait;
      break;
    }
    case ClientFault::leaves_in_body:
      while (!sending.done) {
        const Sleep wait{kernel_, 1 * ms};
        co_await wait;
      }
      break;
    case ClientFault::stops_reading: {
      // Whatever the answer is, the proxy must end this by itself.
      const int64_t limit = deadline() + keep_alive_timeout_ns + world_.jumped_ns;
      while (!peer_->end().reset && !peer_->end().in.end_arrived) {
        if (kernel_.now_ns() > limit + world_.jumped_ns) {
          violation("a client that reads nothing was kept longer than every timeout together");
        }
        const Sleep wait{kernel_, 50 * ms};
        co_await wait;
        // A byte now and then, so that it is never idle.
        if (world_.scenario.minds_pace) peer_->take_a_byte();
      }
      break;
    }
    default:
      outcome = co_await read_answer(plan, authorized, sending);
  }
  if (!sending.done && outcome.keep) {  // an early answer: the rest of the request may still go up
    for (int count = 0; count < 200 && !sending.done; count++) {
      const Sleep wait{kernel_, 1 * ms};
      co_await wait;
    }
  }
  if (!sending.done || !outcome.keep) {
    if (kernel_.below(2) == 0)
      peer_->reset();
    else
      peer_->close();
    kernel_.wake(peer_->end());
    outcome.keep = false;
  }
  while (!sending.done) {
    const Sleep wait{kernel_, 1 * ms};
    co_await wait;
  }
  // After these the proxy may end a connection that it had promised to keep.
  const bool ends = plan.client_fault == ClientFault::half_closes || ends_early(plan.server_fault);
  if (!sending.sent || ends) outcome.keep = false;
  co_return outcome;
}

Task<void> Client::send(Client& client, const RequestPlan& plan, std::string head, Sending& sending) {
  Kernel& kernel = client.kernel_;
  const bool whole_message = client.plan_.pipelined;
  std::string body = whole_message ? "" : framed_body(plan);
  const bool stops =
      plan.client_fault == ClientFault::leaves_in_body || plan.client_fault == ClientFault::stalls_in_body;
  if (stops) body.resize(kernel.below(body.size()));
  bool waits = plan.expects_continue && !whole_message;
  if (!waits) {
    head += body;
    body.clear();
  }
  bool sent =
      co_await client.peer_->send(head, client.plan_.piece, kernel.now_ns() + 10 * client.world_.patience_ns);
  if (sent && waits) {
    const int64_t limit = kernel.now_ns() + 1'000 * ms;
    while (!sending.continue_seen && kernel.now_ns() < limit && !client.peer_->end().closed) {
      const Sleep pause{kernel, 1 * ms};
      co_await pause;
    }
    sent = co_await client.peer_->send(body, client.plan_.piece,
                                       kernel.now_ns() + 10 * client.world_.patience_ns);
  }
  if (sent && plan.client_fault == ClientFault::half_closes) client.peer_->end_of_sending();
  sending.sent = sent && !stops;
  sending.done = true;
}

Outcome Client::ended(Got got, bool after_head) const {
  Outcome outcome;
  outcome.result = got == Got::late                    ? Result::late
                   : (after_head || got == Got::reset) ? Result::cut
                                                       : Result::none;
  return outcome;
}

Task<Outcome> Client::read_answer(const RequestPlan& plan, bool authorized, Sending& sending) {
  Outcome outcome;
  Head head;
  const std::string who = "request " + std::to_string(plan.id);
  for (;;) {
    const Got got = co_await read_head(*peer_, head, deadline());
    if (got != Got::bytes) {
      outcome = ended(got, !peer_->inbox.empty());
      co_return outcome;
    }
    if (!head.start_line.starts_with("HTTP/1.1 ") || head.start_line.size() < 12)
      violation(who + " got `" + head.start_line + "`");
    std::from_chars(head.start_line.data() + 9, head.start_line.data() + 12, outcome.status);
    if (outcome.status == 100) sending.continue_seen = true;
    if (outcome.status >= 200 || outcome.status == 101) break;
    if (plan.http_1_0) violation(who + " of HTTP/1.0 got an interim answer");
  }
  sending.continue_seen = true;
  Framing framing{};
  uint64_t length = 0;
  if (!framing_of(head, framing, length)) violation(who + " got an ambiguous framing");
  const std::string* const owner = head.find("x-sim-answer");
  if (owner != nullptr && *owner != std::to_string(plan.id)) {
    violation(who + " got the answer of request " + *owner);
  }
  const bool no_body =
      plan.kind == Kind::web_head || outcome.status == 204 || outcome.status == 304 || outcome.status == 101;
  const std::string* const connection = head.find("connection");
  const bool closes =
      (connection != nullptr && *connection == "close") || plan.http_1_0 || plan.client_closes;
  if (no_body) {
    framing = Framing::none;
  } else if (framing == Framing::none) {
    if (!plan.http_1_0) violation(who + " got an answer whose end nobody can see");
    framing = Framing::until_close;
  }
  std::string body;
  if (plan.client_fault == ClientFault::leaves_in_answer && kernel_.below(4) != 0) {
    const Got got = co_await peer_->fill(deadline());
    (void)got;
    outcome.result = Result::cut;
    co_return outcome;
  }
  const BodyEnd end = co_await read_body(*peer_, framing, length, body, world_.patience_ns, plan_.pause_ns);
  if (end == BodyEnd::malformed) violation(who + " got a malformed chunked body");
  if (end == BodyEnd::late) {
    outcome.result = Result::late;
    co_return outcome;
  }
  if (owner == nullptr) {  // from the proxy itself
    kernel_.cover("a reply of the proxy");
    const std::string* const type = head.find("content-type");
    if (type == nullptr || !type->starts_with("text/plain"))
      violation(who + " got a reply of ours that is no plain text");
    outcome.result = end == BodyEnd::whole ? Result::own : Result::cut;
    outcome.keep = !closes && end == BodyEnd::whole;
    co_return outcome;
  }
  const bool is_login = plan.login && !authorized;
  std::string expected = no_body ? "" : is_login ? "log in" : plan.answer_body();
  uint16_t status = is_login ? 401 : plan.status;
  // What a server said instead, and no other one did better; of two that begin alike the longer one is meant.
  const std::string useless = is_useless(plan.server_fault) ? plan.useless_body() : "";
  if (!useless.empty() && useless.starts_with(body) && !expected.starts_with(body)) {
    kernel_.cover("a useless answer was passed on");
    expected = useless;
    if (plan.server_fault == ServerFault::answers_500) status = 500;
  } else if (!useless.empty() && body.empty()) {
    status = outcome.status;
  }
  if (outcome.status != status) violation(who + " got a status that no server sent");
  const bool as_it_was = end == BodyEnd::whole ? body == expected : expected.starts_with(body);
  if (!as_it_was && plan.gives_pack_in_band() && is_pack_of_another(expected, body, end == BodyEnd::whole)) {
    kernel_.cover(end == BodyEnd::whole ? "Git: a pack was taken over" : "Git: nobody took over");
  } else if (!as_it_was) {
    violation(who +
              (end == BodyEnd::whole ? " got a whole answer that is not the server's ("
                                     : " got the beginning of an answer that is not the server's (") +
              std::to_string(body.size()) + " bytes of " + std::to_string(expected.size()) + ")");
  }
  outcome.result = end == BodyEnd::whole ? Result::whole : Result::cut;
  outcome.keep = end == BodyEnd::whole && !closes && framing != Framing::until_close;
  if (outcome.status == 101 && end == BodyEnd::whole) {
    outcome = co_await talk(plan);
  }
  co_return outcome;
}

// A tunnel: what we say comes back.
Task<Outcome> Client::talk(const RequestPlan& plan) {
  Outcome outcome;
  outcome.status = 101;
  const std::string bytes = plan.request_body();
  size_t sent = 0;
  std::string heard;
  while (sent < bytes.size()) {
    const size_t part = std::min<size_t>(bytes.size() - sent, 3000);
    const bool went = co_await peer_->send(std::string_view(bytes).substr(sent, part), 0, deadline());
    if (!went) co_return ended(Got::reset, true);
    sent += part;
    while (heard.size() + peer_->inbox.size() < sent) {
      const Got got = co_await peer_->fill(deadline());
      if (got != Got::bytes) {
        outcome = ended(got, true);
        co_return outcome;
      }
    }
    heard += peer_->inbox;
    peer_->inbox.clear();
  }
  if (heard != bytes) violation("a tunnel changed what went through it");
  peer_->end_of_sending();
  const Got got = co_await peer_->fill(deadline());
  outcome.result = got == Got::end ? Result::whole : got == Got::late ? Result::late : Result::cut;
  if (got == Got::bytes) violation("a tunnel said what nobody sent");
  co_return outcome;
}

// Was there a reason for this?
bool Client::may_fail(const RequestPlan& plan, const Outcome& outcome) const {
  if (!world_.quiet) return true;
  const bool own = outcome.result == Result::own;
  // Requests that wait unread behind one that fails make the close a reset, which may destroy answers on
  // their way.
  const bool shared_fate = plan_.pipelined && std::any_of(plan_.requests.begin(), plan_.requests.end(),
                                                          [](const RequestPlan& other) {
                                                            return other.server_fault != ServerFault::none;
                                                          });
  if (shared_fate && (outcome.result == Result::cut || outcome.result == Result::none)) return true;
  switch (plan.client_fault) {
    case ClientFault::none:
      break;
    case ClientFault::half_closes:
      if (plan.is_git_post()) return true;
      break;
    default:
      return true;
  }
  // The last failure is told, and the last server tried may be the one that never accepts.
  const bool is_broken = outcome.status == 502 || (outcome.status == 504 && world_.scenario.a_silent_server);
  switch (plan.server_fault) {
    case ServerFault::silent:
      return own && outcome.status == 504;
    case ServerFault::closes_before_answer:
    case ServerFault::resets_before_answer:
    case ServerFault::closes_in_head:
    case ServerFault::both_framings:
    case ServerFault::bad_head:
    case ServerFault::too_many_interim:
    case ServerFault::answers_500:
    case ServerFault::answers_web_page:
    case ServerFault::git_says_err:
      return own && is_broken;
    case ServerFault::closes_in_body:
    case ServerFault::resets_in_body:
    case ServerFault::stalls_in_body:
      // Nothing of the answer may have been sent on when it broke.
      return outcome.result == Result::cut ||
             (own &&
              (is_broken || (outcome.status == 504 && plan.server_fault == ServerFault::stalls_in_body)));
    case ServerFault::early_answer_then_close:
    case ServerFault::early_answer_then_reset:
    case ServerFault::early_part_then_reset:
      return outcome.result == Result::cut || (own && is_broken);
    default:
      return false;
  }
}

void Client::judge(const RequestPlan& plan, const Outcome& outcome) {
  static constexpr const char* words[] = {"result: whole", "result: a reply of the proxy", "result: cut",
                                          "result: nothing", "result: late"};
  kernel_.cover(words[static_cast<size_t>(outcome.result)]);
  kernel_.trace("client", plan_.number, " request ", plan.id,
                " ends: ", words[static_cast<size_t>(outcome.result)], " ", outcome.status);
  const std::string who = "request " + std::to_string(plan.id) + " (" + name(plan.kind) + ", server " +
                          name(plan.server_fault) + ", client " + name(plan.client_fault) + ")";
  if (outcome.result == Result::late && world_.jumped_ns == 0)
    violation(who + " waited longer than every timeout together" + kernel_.describe_cores());
  if (outcome.result == Result::whole) return;
  if (!may_fail(plan, outcome)) {
    violation(who + " failed without a reason: " + words[static_cast<size_t>(outcome.result)] + " " +
              std::to_string(outcome.status));
  }
  if (outcome.result != Result::own) return;
  static constexpr uint16_t allowed[] = {400, 408, 413, 414, 431, 501, 502, 503, 504};
  if (std::find(std::begin(allowed), std::end(allowed), outcome.status) == std::end(allowed)) {
    violation(who + " got an unknown reply: " + std::to_string(outcome.status));
  }
  const Record& record = *world_.find(plan.id);
  // Refs are asked for elsewhere then, maybe of a server that accepts nobody.
  const int64_t limit =
      response_timeout_ns + slack_ns + (world_.scenario.a_silent_server ? connect_timeout_ns : 0);
  if (outcome.status == 504 && plan.server_fault == ServerFault::silent && world_.quiet &&
      record.read_ns > 0 && kernel_.now_ns() - record.read_ns > limit) {
    violation(who + " got its 504 late");
  }
}

// The requests of one operation see one server: those that follow each other on a connection and name one
// repository.
void Client::check_affinity(const RequestPlan& plan, const Outcome& outcome) {
  if (plan.kind > Kind::receive_pack) return server_of_.clear();
  std::erase_if(server_of_, [&plan](const auto& known) { return known.first != plan.repository; });
  // info/refs begins anew, and leaves a server that has failed others, or is drained.
  const bool begins = plan.kind == Kind::advertise_fetch || plan.kind == Kind::advertise_push;
  if (begins || plan.server_fault != ServerFault::none)
    server_of_.erase(plan.repository);  // it may have been replaced
  if (!world_.quiet || outcome.result != Result::whole || plan.login) return;
  const int server = world_.find(plan.id)->server;
  const auto [known, fresh] = server_of_.emplace(plan.repository, server);
  if (!fresh && known->second != server) {
    violation("request " + std::to_string(plan.id) + " went to server " + std::to_string(server) +
              ", but the operation began on server " + std::to_string(known->second));
  }
}

}  // namespace

void start_clients(World& world) {
  for (const ClientPlan& plan : world.scenario.clients) world.clients.spawn(Client::live(world, plan));
}

}  // namespace breakwater::sim
