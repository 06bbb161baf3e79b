// Simulated Git servers: they check what reaches them byte for byte, and answer as their request's plan says,
// which is not always well.
#include <algorithm>
#include <charconv>

#include "sim/verdict.h"
#include "sim/world.h"
#include "wire/pkt_line.h"

namespace breakwater::sim {

namespace {

constexpr int64_t long_ns = 60'000 * ms;

std::string host_text(const Address& address) {
  return address.host_text();
}

// What the servers say of themselves: two of kinds that are known to end packs well, and another.
constexpr const char* server_fields[] = {"nginx/1.22.1", "Apache/2.4.57 (Debian)", "sim"};

// RFC 9110 §7.6.1, and the identity that only a proxy may assert.
void check_request(const World& world, const Head& head, const RequestPlan& plan, const Record& record) {
  const std::string who = "request " + std::to_string(plan.id) + " ";
  const bool by_1_0 = head.start_line.ends_with(" HTTP/1.0");
  const std::string line =
      std::string(plan.method()) + " " + plan.target() + (by_1_0 ? " HTTP/1.0" : " HTTP/1.1");
  if (by_1_0) {
    const bool may = plan.kind == Kind::upload_pack && plan.request_framing == Framing::length &&
                     world.scenario.upload_pack_framing != config::UploadPackFraming::chunked;
    const bool wanted = world.scenario.upload_pack_framing == config::UploadPackFraming::until_close ||
                        (plan.done && !(plan.version_2 && plan.lists_refs) && record.server != 2);
    if (!may || !wanted) violation(who + "reached the server by HTTP/1.0");
    if (head.find("expect") != nullptr) violation(who + "expects 100 of a server by HTTP/1.0");
  }
  if (head.start_line != line)
    violation(who + "reached the server as `" + head.start_line + "`, not `" + line + "`");
  for (const char* forbidden :
       {"x-webauth-user", "remote-user", "x-forwarded-user", "x-hop", "keep-alive", "te"}) {
    if (head.find(forbidden) != nullptr) violation(who + "reached the server with the field " + forbidden);
  }
  const auto expect = [&](const char* name, const std::string& value) {
    const std::string* const found = head.find(name);
    if (found == nullptr || *found != value) {
      violation(who + "reached the server with " + name + ": " + (found == nullptr ? "(none)" : *found) +
                ", not " + value);
    }
  };
  expect("host", "git.example");
  expect("x-sim-check", "check " + std::to_string(plan.id));
  expect("x-forwarded-for", host_text(address_of(1000 + record.client->number, 1)));
  if (plan.kind <= Kind::receive_pack && plan.version_2) expect("git-protocol", "version=2");
  Framing framing{};
  uint64_t length = 0;
  if (!framing_of(head, framing, length)) violation(who + "reached the server with an ambiguous framing");
  if (framing != plan.request_framing) violation(who + "reached the server with another framing");
  const ClientFault fault = plan.client_fault;
  const bool refused = fault == ClientFault::bad_head || fault == ClientFault::long_target ||
                       fault == ClientFault::large_head || fault == ClientFault::leaves_in_head ||
                       fault == ClientFault::stalls_in_head;
  if (refused) violation(who + "has a head that must be refused, but it reached a server");
}

// Sent once, unless it is safe to send again; then to each server once.
void check_replay(const RequestPlan& plan, const Record& record, uint32_t servers) {
  const bool safe = plan.request_framing == Framing::none || plan.kind == Kind::upload_pack;
  // The one whose connection proved stale is asked a second time.
  if (record.heads_seen > (safe ? servers + 1 : 1u)) {
    violation("request " + std::to_string(plan.id) + " (" + name(plan.kind) + ") was sent " +
              std::to_string(record.heads_seen) + " times");
  }
  if (plan.kind == Kind::receive_pack && record.heads_seen > 1) violation("a push was replayed");
}

// Packets to the end, or to the pack behind them (gitprotocol-pack(5)).
bool is_git(std::string_view body) {
  while (!body.empty() && !body.starts_with("PACK")) {
    const wire::PktLine line = wire::read_pkt_line(body);
    if (line.bytes == 0) return false;
    body.remove_prefix(line.bytes);
  }
  return true;
}

std::string answer_head(const RequestPlan& plan, uint32_t server, size_t body_bytes) {
  const ServerFault fault = plan.server_fault;
  std::string head = "HTTP/1.1 " + std::to_string(plan.status) +
                     " Answer\r\nX-Sim-Answer: " + std::to_string(plan.id) +
                     "\r\nServer: " + server_fields[server % std::size(server_fields)] + "\r\n";
  const bool is_pack = plan.kind == Kind::upload_pack && plan.status == 200;
  if (is_pack)
    head += "Content-Type: application/x-git-upload-pack-result\r\n";
  else if (plan.status != 101)
    head += "Content-Type: application/octet-stream\r\n";
  if (plan.answer_framing == Framing::length)
    head += "Content-Length: " + std::to_string(body_bytes) + "\r\n";
  if (plan.answer_framing == Framing::chunked) head += "Transfer-Encoding: chunked\r\n";
  if (fault == ServerFault::both_framings) head += "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n";
  if (fault == ServerFault::bad_head) head += "Spaced : out\r\n";
  if (plan.status == 101) head += "Upgrade: websocket\r\nConnection: upgrade\r\n";
  if (plan.server_closes) head += "Connection: close\r\n";
  return head + "\r\n";
}

// Sends what came back, until the client ends its direction.
Task<void> echo(Peer& peer) {
  for (;;) {
    if (!peer.inbox.empty()) {
      const std::string bytes = std::move(peer.inbox);
      peer.inbox.clear();
      const bool sent = co_await peer.send(bytes, 0, peer.kernel().now_ns() + long_ns);
      if (!sent) co_return;
    }
    const Got got = co_await peer.fill(peer.kernel().now_ns() + long_ns);
    if (got != Got::bytes) co_return;
  }
}

enum class Next : uint8_t { request, close, reset };

Task<Next> answer(World& world, Peer& peer, const RequestPlan& plan, uint32_t server) {
  Kernel& kernel = world.kernel;
  const ServerFault fault = plan.server_fault;
  const auto deadline = [&kernel] { return kernel.now_ns() + long_ns; };
  if (kernel.below(3) == 0) {  // work takes time
    const Sleep work{kernel, static_cast<int64_t>(kernel.below(20'000'000))};
    co_await work;
  }
  if (fault == ServerFault::silent) {
    const Got got = co_await peer.fill(deadline());
    (void)got;
    co_return Next::close;
  }
  if (world.scenario.slow_server == server) {
    const Sleep work{kernel, static_cast<int64_t>(50 + kernel.below(200)) * ms};
    co_await work;
    kernel.cover("a slow server");
  }
  if (is_useless(fault)) {
    const std::string body = plan.useless_body();
    const char* const type = fault == ServerFault::answers_500        ? "text/plain"
                             : fault == ServerFault::answers_web_page ? "text/html"
                             : plan.kind == Kind::upload_pack         ? "application/x-git-upload-pack-result"
                                                              : "application/x-git-upload-pack-advertisement";
    const std::string message = std::string("HTTP/1.1 ") +
                                (fault == ServerFault::answers_500 ? "500 Oh" : "200 OK") +
                                "\r\nX-Sim-Answer: " + std::to_string(plan.id) + "\r\nContent-Type: " + type +
                                "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
                                (plan.server_closes ? "Connection: close\r\n\r\n" : "\r\n") + body;
    const bool sent = co_await peer.send(message, 0, deadline());
    co_return sent && !plan.server_closes ? Next::request : Next::close;
  }
  if (fault == ServerFault::closes_before_answer) co_return Next::close;
  if (fault == ServerFault::resets_before_answer) co_return Next::reset;
  const uint32_t interim = fault == ServerFault::too_many_interim ? 70 : plan.interim;
  for (uint32_t count = 0; count < interim; count++) {
    const std::string hints = "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n";
    const bool sent = co_await peer.send(hints, 0, deadline());
    if (!sent) co_return Next::close;
  }
  const std::string body = plan.answer_body();
  const std::string head = answer_head(plan, server, body.size());
  if (fault == ServerFault::closes_in_head) {
    const bool sent =
        co_await peer.send(std::string_view(head).substr(0, 20 + kernel.below(20)), 0, deadline());
    (void)sent;
    co_return Next::close;
  }
  std::string message = head;
  if (plan.kind != Kind::web_head) {
    if (plan.answer_framing == Framing::chunked) {
      message += in_chunks(body, plan.chunk, plan.upper_case, plan.extension, plan.trailer);
    } else {
      message += body;
    }
  }
  if (fault == ServerFault::extra_bytes) {
    // In one piece with the end of the answer: bytes that come later can't be told from an answer.
    Stream& way = peer.end().peer->in;
    way.capacity = std::max(way.capacity, way.held() + message.size() + 100);
    message += "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nstolen";
  }
  const bool stops_in_body = fault == ServerFault::closes_in_body || fault == ServerFault::resets_in_body ||
                             fault == ServerFault::stalls_in_body ||
                             fault == ServerFault::early_part_then_reset;
  if (stops_in_body) message.resize(head.size() + kernel.below(message.size() - head.size()));
  const bool in_pieces = fault != ServerFault::extra_bytes && kernel.below(4) == 0;
  const size_t piece = in_pieces ? 1 + kernel.below(5000) : 0;
  const bool sent = co_await peer.send(message, piece, deadline());
  if (!sent) co_return Next::close;
  if (fault == ServerFault::stalls_in_body) {
    const Got got = co_await peer.fill(deadline());
    (void)got;
    co_return Next::close;
  }
  if (fault == ServerFault::early_answer_then_reset || fault == ServerFault::early_part_then_reset) {
    const Sleep soon{kernel, static_cast<int64_t>(kernel.below(300'000))};
    co_await soon;
    co_return Next::reset;
  }
  if (fault == ServerFault::resets_in_body) co_return Next::reset;
  if (fault == ServerFault::closes_in_body || fault == ServerFault::early_answer_then_close ||
      plan.server_closes) {
    co_return Next::close;
  }
  if (fault == ServerFault::closes_soon_after) {
    const Sleep soon{kernel, static_cast<int64_t>(kernel.below(3'000'000))};
    co_await soon;
    const Stream& way = peer.end().peer->in;
    while (way.held() > way.arrived) {  // a reset must not destroy the answer
      const Sleep arrives{kernel, 1 * ms};
      co_await arrives;
    }
    co_return kernel.below(3) == 0 ? Next::reset : Next::close;
  }
  if (fault == ServerFault::late_surplus) {
    const Sleep rest{kernel, static_cast<int64_t>(kernel.below(30'000'000))};
    co_await rest;
    End& end = peer.end();
    const auto speak = [&kernel, &end, heads = end.heads] {
      if (end.heads == heads &&
          kernel.send_at_rest(end, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nstolen"))
        kernel.cover("a surplus on a connection at rest");
    };
    // The worst moment is when the next request has reached the proxy, and it has not looked yet.
    if (kernel.below(3) == 0)
      speak();
    else
      kernel.at_next_arrival(speak);
  }
  if (plan.kind == Kind::websocket) {
    co_await echo(peer);
    co_return Next::close;
  }
  co_return Next::request;
}

Task<Next> serve_one(World& world, Peer& peer, uint32_t server) {
  Kernel& kernel = world.kernel;
  Head head;
  const Got got = co_await read_head(peer, head, kernel.now_ns() + long_ns);
  if (got != Got::bytes) co_return Next::close;
  peer.end().heads++;
  const std::string* const number = head.find("x-sim-plan");
  if (number == nullptr) violation("a request reached a server that no client made: " + head.start_line);
  uint32_t id = 0;
  std::from_chars(number->data(), number->data() + number->size(), id);
  Record* const record = world.find(id);
  if (record == nullptr) violation("a request reached a server that no client made: " + head.start_line);
  const bool by_1_0 = head.start_line.ends_with(" HTTP/1.0");
  RequestPlan plan = by_1_0 ? record->plan->by_http_1_0() : *record->plan;
  kernel.trace("server", server, " gets request ", id, " on connection ", peer.connection(), ": ",
               head.start_line);
  record->server = static_cast<int>(server);
  check_request(world, head, plan, *record);
  if (plan.login && head.find("authorization") == nullptr) {
    const std::string reply = "HTTP/1.1 401 Unauthorized\r\nX-Sim-Answer: " + std::to_string(id) +
                              "\r\nWWW-Authenticate: Basic realm=\"sim\"\r\nContent-Length: 6\r\n\r\n" +
                              (plan.kind == Kind::web_head ? "" : "log in");
    const bool sent = co_await peer.send(reply, 0, kernel.now_ns() + long_ns);
    co_return sent ? Next::request : Next::close;
  }
  record->heads_seen++;
  const bool failed_elsewhere =
      record->faulty_server >= 0 && record->faulty_server != static_cast<int>(server);
  if (plan.fault_once && failed_elsewhere) {
    plan.server_fault = ServerFault::none;
    kernel.cover("a server that failed was replaced");
  } else if (plan.server_fault != ServerFault::none && record->faulty_server < 0) {
    record->faulty_server = static_cast<int>(server);
  }
  check_replay(plan, *record, static_cast<uint32_t>(world.servers.size()));
  kernel.cover(name(plan.kind));
  if (plan.kind == Kind::upload_pack) {
    kernel.cover(!plan.version_2   ? "Git: fetch, version 0"
                 : plan.lists_refs ? "Git: ls-refs, version 2"
                                   : "Git: fetch, version 2");
  }
  if (by_1_0) {
    kernel.cover("Git: asked for by HTTP/1.0");
    if (plan.answer_framing == Framing::until_close && plan.status == 200)
      kernel.cover(plan.server_fault == ServerFault::closes_in_body ? "Git: until close, and short"
                                                                    : "Git: until close");
  }
  if (record->client->operation) kernel.cover("Git: a request of an operation");
  kernel.cover(name(plan.server_fault));
  const bool early = answers_early(plan.server_fault);
  if (early) {
    const Next next = co_await answer(world, peer, plan, server);
    if (next != Next::request) co_return next;
  } else if (head.find("expect") != nullptr) {
    const std::string go_on = "HTTP/1.1 100 Continue\r\n\r\n";
    const bool sent = co_await peer.send(go_on, 0, kernel.now_ns() + long_ns);
    if (!sent) co_return Next::close;
  }
  Framing framing{};
  uint64_t length = 0;
  framing_of(head, framing, length);
  std::string body;
  const BodyEnd end = co_await read_body(peer, framing, length, body, long_ns, 0);
  const std::string expected = plan.request_body();
  const bool matches = end == BodyEnd::whole ? body == expected : expected.starts_with(body);
  if (plan.request_framing != Framing::none && !matches) {
    violation("the body of request " + std::to_string(id) +
              " reached the server changed, or was completed although it is short");
  }
  if (end == BodyEnd::malformed)
    violation("the body of request " + std::to_string(id) + " reached the server malformed");
  if (end != BodyEnd::whole) co_return Next::close;
  if (plan.is_git_post() && !is_git(body))
    violation("the body of request " + std::to_string(id) + " is not what Git would send");
  record->bodies_seen++;
  record->read_ns = kernel.now_ns();
  if (early) co_return Next::request;
  const Next next = co_await answer(world, peer, plan, server);
  co_return next;
}

Task<void> serve(World& world, uint32_t server, End* end) {
  Peer peer(world.kernel, end);
  for (;;) {
    const Next next = co_await serve_one(world, peer, server);
    if (next == Next::request) continue;
    if (next == Next::reset) peer.reset();
    break;
  }
  std::erase(world.servers[server].connections, end);
}

}  // namespace

void start_servers(World& world) {
  const Scenario& scenario = world.scenario;
  const uint32_t count = scenario.servers + (scenario.a_silent_server ? 1 : 0);
  world.servers.resize(count);
  for (uint32_t index = 0; index < count; index++) {
    SimServer& server = world.servers[index];
    server.address = address_of(100 + index, 3000);
    server.address.set_port(static_cast<uint16_t>(3000 + index));
    server.listener = world.kernel.listen(server.address, [&world, index](End* end) {
      world.servers[index].connections.push_back(end);
      world.connections.spawn(serve(world, index, end));
    });
    server.listener->silent = index >= scenario.servers;
  }
  for (const Restart& restart : scenario.restarts) {
    const int64_t begun = world.kernel.now_ns();
    world.kernel.at(begun + restart.from_ns, [&world, restart] {
      SimServer& server = world.servers[restart.server];
      world.kernel.trace("server", restart.server, " dies");
      server.listener->open = false;
      const std::vector<End*> connections = server.connections;
      for (End* const end : connections) {
        end->reset_on_close = true;
        world.kernel.close(*end);
        world.kernel.wake(*end);
      }
    });
    world.kernel.at(begun + restart.until_ns, [&world, restart] {
      world.kernel.trace("server", restart.server, " is back");
      world.servers[restart.server].listener->open = true;
    });
  }
}

}  // namespace breakwater::sim
