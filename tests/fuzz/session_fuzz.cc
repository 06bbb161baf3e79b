// The whole session: bytes of a client and of a server, in pieces, through the real proxy on the simulated
// kernel. A second reader (strict_reader.h) judges what comes out on both sides:
//
// - what reached the server are exactly the requests that it finds in the client's bytes, one after the
// other,
//   whole only if they are whole there, none of what must be refused, and nothing behind them;
// - what the client got are answers that it can read, each the proxy's own or the one that the server gave to
// that
//   request, and whole only if the server's was;
// - with a server that behaves, every sound request is answered, and what must be refused gets a reply that
// says so.
//
// And what the simulator wants of every run: nothing in flight at the end, all buffers, frames and
// descriptors home, and a line of valid JSON in the log for every request.
//
// An input is three bytes of settings (struct Input), the client's bytes until a byte 0x1e, and then what the
// server answers, an answer behind each further 0x1e: its first byte says what becomes of the connection. An
// answer that is empty, or not there, is a good one. With BREAKWATER_FUZZ_TRACE in the environment everything
// is told as it happens.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "core/core.h"
#include "coro/frame_pool.h"
#include "coro/scope.h"
#include "fuzz/strict_reader.h"
#include "proxy/limits.h"
#include "proxy/serving.h"
#include "ring/sys.h"
#include "sim/leftovers.h"
#include "sim/peer.h"
#include "sim/ring_state.h"
#include "sim/verdict.h"
#include "sim/world.h"

namespace {

using namespace breakwater;
using sim::End;
using sim::Fault;
using sim::Got;
using sim::Kernel;
using sim::ms;
using sim::Peer;
using sim::Sleep;
using strict::Message;
using strict::Verdict;

constexpr char separator = 0x1e;
constexpr size_t input_bytes_max = 64 * 1024;
// Small, so that short inputs reach them.
constexpr strict::Limits client_limits{.head_bytes_max = 2048, .target_bytes_max = 512};
constexpr strict::Limits server_limits{.head_bytes_max = 65535, .target_bytes_max = 65535, .fields_max = 160};
constexpr strict::Limits answer_limits{.head_bytes_max = 2048};
constexpr strict::Limits passed_limits{.head_bytes_max = 65535, .fields_max = 160};
constexpr int64_t patience_ns = 60'000 * ms;
constexpr uint64_t turns_max = 1'000'000;
constexpr std::string_view other_client = "GET /of/another/client HTTP/1.1\r\nHost: other\r\n\r\n";

// How bytes are cut: all at once, or pieces of at most so many bytes.
constexpr size_t pieces[] = {0, 3, 40, 1000};

struct Answer {
  // Of the connection: k(eep), c(lose), r(eset), s(top saying anything); d(ie): there is no answer.
  char ending = 'k';
  std::string bytes;
};

struct Input {
  bool faults = false;         // of the kernel: short reads and writes, late and reordered completions
  bool half_closes = false;    // the client, behind its last byte
  bool answers_early = false;  // the server, as soon as it has a head
  bool answers_chunked = false;
  bool until_close = false;  // packs are asked for by HTTP/1.0
  bool another = false;      // there comes another client, when this one has gone
  size_t client_piece = 0, server_piece = 0;
  uint64_t seed = 0;
  std::string client;
  std::vector<Answer> answers;

  // Nobody did anything that could keep a sound request from being answered.
  bool is_quiet() const noexcept { return answers.empty() && !half_closes && !answers_early; }
};

Input read_input(std::string_view bytes) {
  Input input;
  const auto settings = static_cast<unsigned char>(bytes[0]);
  const auto cuts = static_cast<unsigned char>(bytes[1]);
  input.faults = settings & 1;
  input.half_closes = settings & 2;
  input.answers_early = settings & 4;
  input.answers_chunked = settings & 8;
  input.until_close = settings & 16;
  input.another = settings & 32;
  input.client_piece = pieces[cuts & 3];
  input.server_piece = pieces[cuts >> 2 & 3];
  input.seed = static_cast<unsigned char>(bytes[2]);
  bytes.remove_prefix(3);
  const size_t end = std::min(bytes.find(separator), bytes.size());
  input.client = bytes.substr(0, end);
  bytes.remove_prefix(end);
  while (!bytes.empty()) {
    bytes.remove_prefix(1);
    const size_t length = std::min(bytes.find(separator), bytes.size());
    Answer answer;
    if (length > 0) answer = {bytes[0], std::string(bytes.substr(1, length - 1))};
    input.answers.push_back(answer);
    bytes.remove_prefix(length);
  }
  return input;
}

[[noreturn]] void fail(const std::string& what, std::string_view bytes = {}) {
  std::fflush(stdout);
  std::fprintf(stderr, "violation: %s\n%.*s\n", what.c_str(), static_cast<int>(bytes.size()), bytes.data());
  std::abort();
}

// A connection that the proxy made to the server.
struct Connection {
  std::string received, sent;
  size_t heads = 0, answered = 0;
  bool ended_well = false;  // by the server, behind `sent`
  // Read when all is over.
  std::vector<Message> requests, answers;
  size_t tunnel_from = std::string::npos, tunnel_back = 0;  // in `received` and in `sent`
};

struct Arrival {
  size_t connection, number;
};

struct Client {
  std::string bytes, received;
  std::unique_ptr<Peer> peer;
  Got end = Got::late;
  size_t first_arrival = 0;
};

class Run {
 public:
  explicit Run(const Input& input)
      : input_(input),
        kernel_(input.seed, faults(input)),
        config_(configuration()),
        dice_(input.seed + 1),
        proxy_(sim::address_of(1, 8080)) {
    kernel_.tracing = std::getenv("BREAKWATER_FUZZ_TRACE") != nullptr;
  }

  void go();

 private:
  static sim::Faults faults(const Input& input);
  static config::Config configuration();
  void start();
  void serve_until(bool (*is_over)(const Run&));
  void turn();
  void check_end();
  void check_log();
  void read_connection(Connection& connection);
  void judge(const Client& client, size_t arrivals_end);
  void compare_request(const Message& sent, const Message& request, bool again) const;
  void compare_answer(const Message& got, const Message& given) const;

  Task<void> talk(Client& client);
  Task<void> listen(Client& client);
  Task<void> serve(End* end);
  Task<bool> send(Peer& peer, std::string_view bytes, size_t piece, std::string* sent);
  void begin(Client& client, std::string_view bytes);
  std::string good_answer(const Message& request) const;

  const Input& input_;
  Kernel kernel_;
  config::Config config_;
  Rng dice_;  // of the peers, so that their pieces do not depend on what the proxy does
  Address proxy_;
  Scope clients_, servers_;
  std::vector<proxy::Site> sites_;
  std::deque<proxy::SharedPool> pools_;
  Stats stats_;
  LogRing log_{64 * 1024};
  std::unique_ptr<Mailbox> mailbox_ = std::make_unique<Mailbox>();
  std::unique_ptr<Core> core_;
  std::unique_ptr<proxy::Serving> serving_;
  sim::RingState* ring_ = nullptr;
  std::string lines_;
  uint64_t turns_ = 0;
  std::deque<Connection> connections_;
  std::vector<Arrival> arrivals_;
  size_t next_answer_ = 0;
  Client first_, second_;
};

sim::Faults Run::faults(const Input& input) {
  sim::Faults faults;
  if (!input.faults) return faults;
  for (const Fault fault : {Fault::short_read, Fault::short_write, Fault::again, Fault::late_start,
                            Fault::late_completion, Fault::reorder, Fault::partial_turn})
    faults[fault] = 200;
  return faults;
}

config::Config Run::configuration() {
  config::Config config;
  config.timeouts.head = std::chrono::milliseconds(sim::head_timeout_ns / ms);
  config.timeouts.keep_alive = std::chrono::milliseconds(sim::keep_alive_timeout_ns / ms);
  config.timeouts.connect = std::chrono::milliseconds(sim::connect_timeout_ns / ms);
  config.timeouts.advertise = config.timeouts.response =
      std::chrono::milliseconds(sim::response_timeout_ns / ms);
  config.timeouts.idle = std::chrono::milliseconds(sim::idle_timeout_ns / ms);
  config.timeouts.client_pace = 0;
  config.timeouts.server_idle = std::chrono::milliseconds(sim::server_idle_timeout_ns / ms);
  config.timeouts.linger = std::chrono::milliseconds(sim::linger_timeout_ns / ms);
  config.limits.connections = 100;
  config.limits.servers_idle = 8;
  config.limits.head_bytes = client_limits.head_bytes_max;
  config.limits.target_bytes = client_limits.target_bytes_max;
  return config;
}

// ---- who takes part

// Counts what was taken in `sent`, if that is not null.
Task<bool> Run::send(Peer& peer, std::string_view bytes, size_t piece, std::string* sent) {
  while (!bytes.empty()) {
    const size_t most = piece == 0 ? bytes.size() : std::min<size_t>(bytes.size(), 1 + dice_.next() % piece);
    const std::string_view part = bytes.substr(0, most);
    // Known before it travels: nobody may judge an answer by less than was said.
    if (sent != nullptr) sent->append(part);
    const bool taken = co_await peer.send(part, 0, kernel_.now_ns() + patience_ns);
    if (!taken) co_return false;
    bytes.remove_prefix(most);
    if (piece == 0 || bytes.empty()) continue;
    const Sleep pause{kernel_, static_cast<int64_t>(dice_.next() % 60'000)};
    co_await pause;
  }
  co_return true;
}

Task<void> Run::talk(Client& client) {
  const bool sent = co_await send(*client.peer, client.bytes, input_.client_piece, nullptr);
  if (sent && input_.half_closes) client.peer->end_of_sending();
}

Task<void> Run::listen(Client& client) {
  Peer& peer = *client.peer;
  do {
    client.end = co_await peer.fill(kernel_.now_ns() + patience_ns);
    client.received += peer.inbox;
    peer.inbox.clear();
  } while (client.end == Got::bytes);
  if (client.end == Got::late) fail("a client is left waiting", client.received);
  peer.close();
}

void Run::begin(Client& client, std::string_view bytes) {
  client.bytes = bytes;
  client.first_arrival = arrivals_.size();
  End* const end = kernel_.connect_to_proxy(proxy_, sim::address_of(200, 40000));
  if (end == nullptr) fail("the proxy does not listen");
  client.peer = std::make_unique<Peer>(kernel_, end);
  clients_.spawn(listen(client));
  clients_.spawn(talk(client));
}

std::string Run::good_answer(const Message& request) const {
  const std::string body = "answer to " + request.method + " " + request.target;
  std::string answer = "HTTP/1.1 200 OK\r\n";
  char size[32];
  std::snprintf(size, sizeof size, input_.answers_chunked ? "%zx" : "%zu", body.size());
  const bool chunked = input_.answers_chunked && request.minor_version == 1;
  if (chunked)
    answer += "Transfer-Encoding: chunked\r\n\r\n" + std::string(size) + "\r\n";
  else
    answer += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n";
  if (request.method == "HEAD") return answer.substr(0, answer.find("\r\n\r\n") + 4);
  return answer + body + (chunked ? "\r\n0\r\n\r\n" : "");
}

Task<void> Run::serve(End* end) {
  Peer peer(kernel_, end);
  const size_t index = connections_.size();
  Connection& mine = connections_.emplace_back();
  for (;;) {
    const Got got = co_await peer.fill(kernel_.now_ns() + patience_ns);
    mine.received += peer.inbox;
    peer.inbox.clear();
    if (got != Got::bytes) co_return;
    const strict::Requests requests = strict::read_requests(mine.received, server_limits);
    while (mine.heads < requests.messages.size()) arrivals_.push_back({index, mine.heads++});
    while (mine.answered < requests.messages.size()) {
      const Message& request = requests.messages[mine.answered];
      if (!request.is_whole() && !input_.answers_early) break;
      mine.answered++;
      Answer answer;
      if (next_answer_ < input_.answers.size()) answer = input_.answers[next_answer_++];
      if (answer.ending == 'd') co_return;
      const std::string bytes = answer.bytes.empty() ? good_answer(request) : answer.bytes;
      const bool sent = co_await send(peer, bytes, input_.server_piece, &mine.sent);
      if (!sent) co_return;
      if (answer.ending == 'r') {
        peer.reset();
        co_return;
      }
      if (answer.ending == 'c') {
        mine.ended_well = true;
        peer.end_of_sending();
      }
      if (answer.ending == 'c' || answer.ending == 's') mine.answered = SIZE_MAX;
    }
  }
}

// ---- the run

void Run::start() {
  const Address server = sim::address_of(100, 3000);
  kernel_.listen(server, [this](End* end) { servers_.spawn(serve(end)); });
  config::Pool& pool = config_.pools.emplace_back();
  pool.name = "fuzz";
  pool.timeouts = static_cast<const config::PoolTimeouts&>(config_.timeouts);
  pool.upload_pack_framing =
      input_.until_close ? config::UploadPackFraming::until_close : config::UploadPackFraming::chunked;
  pool.servers.push_back({.address = {"server", 80}});
  std::deque<proxy::Server> servers;
  servers.emplace_back("server", server);
  pools_.emplace_back(pool, std::move(servers));
  config::Listen listen;
  listen.name = "fuzz";
  listen.pool = "fuzz";
  sites_.push_back({"fuzz", proxy::Router(config_, listen), {}});
  const CoreLimits limits{.ring_entries = 64,
                          .head_buffer_bytes = proxy::head_buffer_bytes,
                          .head_buffers = 8,
                          .answer_buffers = 4,
                          .bulk_buffer_bytes = proxy::bulk_buffer_bytes,
                          .bulk_buffers = 4,
                          .head_rooms = 8,
                          .pipes = 4,
                          .pipe_bytes = 65536};
  const sim::Faults faults = kernel_.faults();
  kernel_.calm();
  std::string why;
  core_ = Core::open(0, limits, stats_, log_, *mailbox_, why);
  BW_ASSERT(core_ != nullptr);
  ring_ = sim::RingState::all().back();
  Address address = proxy_;
  const std::vector<int> listeners{sys::listen_on(address, 100, true)};
  serving_ = std::make_unique<proxy::Serving>(*core_, config_, sites_, pools_, listeners, 1);
  kernel_.throw_again(faults);
}

// Lets the core act, or time pass.
void Run::turn() {
  kernel_.run_events();
  if (++turns_ > turns_max) fail("the core turns without end");
  if (core_->ended() || !ring_->runnable()) {
    int64_t next_ns = kernel_.next_event_ns();
    if (!core_->ended() && (next_ns < 0 || ring_->wake_ns() < next_ns)) next_ns = ring_->wake_ns();
    if (next_ns < 0 || next_ns == INT64_MAX) fail("everybody waits, and nothing will ever happen");
    kernel_.jump_to(next_ns);
    return;
  }
  core_->turn();
  log_.drain([this](const char* data, size_t bytes) { lines_.append(data, bytes); });
  kernel_.pass(500 + static_cast<int64_t>(kernel_.below(10'000)));
}

void Run::go() {
  start();
  begin(first_, input_.client);
  while (!clients_.empty()) turn();
  size_t arrivals_of_first = arrivals_.size();
  if (input_.another) {
    const int64_t until = kernel_.now_ns() + 50 * ms;
    kernel_.at(until, [] {});  // there may be nothing else to wait for
    while (kernel_.now_ns() < until) turn();
    arrivals_of_first = arrivals_.size();
    begin(second_, other_client);
    while (!clients_.empty()) turn();
  }
  mailbox_->post(Mailbox::drain);
  const int64_t limit = kernel_.now_ns() + patience_ns;
  while (!core_->ended()) {
    turn();
    if (kernel_.now_ns() > limit)
      fail("the core did not end after the last client had gone: " + ring_->describe());
  }
  check_end();
  serving_.reset();
  core_.reset();
  mailbox_.reset();
  if (kernel_.open_descriptors() != 0) {
    std::string open;
    kernel_.describe_open(open);
    fail("descriptors were left open:" + open);
  }
  while (!servers_.empty()) {
    if (kernel_.next_event_ns() < 0) fail("the simulated server waits for what will never happen");
    kernel_.jump_to(kernel_.next_event_ns());
    kernel_.run_events();
  }
  for (Connection& connection : connections_) read_connection(connection);
  judge(first_, input_.another ? arrivals_of_first : arrivals_.size());
  if (input_.another) judge(second_, arrivals_.size());
}

void Run::check_end() {
  sim::check_leftovers(*core_, stats_);
  log_.drain([this](const char* data, size_t bytes) { lines_.append(data, bytes); });
  check_log();
}

void Run::check_log() {
  uint64_t count = 0;
  for (size_t at = 0; at < lines_.size(); count++) {
    const size_t end = lines_.find('\n', at);
    if (end == std::string::npos) fail("a line of the log has no end", lines_);
    const std::string_view line = std::string_view(lines_).substr(at, end - at);
    if (!nlohmann::json::accept(line)) fail("a line of the log is not JSON", line);
    at = end + 1;
  }
  if (count + stats_.log_dropped.get() != stats_.requests.get())
    fail(std::to_string(stats_.requests.get()) + " requests, but " + std::to_string(count) +
         " lines in the log");
}

// ---- the verdict

std::string_view rest_of(std::string_view bytes, size_t at) {
  return bytes.substr(std::min(at, bytes.size()));
}

// What the server got and gave: the answers in its bytes are those to the requests, in their order, whoever
// the proxy takes them for.
void Run::read_connection(Connection& connection) {
  const std::string_view received = connection.received;
  size_t at = 0, back = 0;
  while (at < received.size()) {
    Message request = strict::read_request(received, at, server_limits);
    if (request.head == Verdict::refused) fail("what reached the server is no request", received);
    if (request.head == Verdict::incomplete) return;
    if (request.body == Verdict::refused) fail("a body reached the server malformed", received);
    Message answer;
    for (;;) {
      answer = strict::read_response(connection.sent, back, request.method, request.upgrade,
                                     connection.ended_well, answer_limits);
      const bool interim = answer.head == Verdict::whole && answer.status < 200 && answer.status != 101;
      if (answer.is_whole()) back = answer.end;
      if (!interim) break;
    }
    const bool tunnel = answer.head == Verdict::whole && answer.status == 101;
    const bool over = !request.is_whole() || request.last;
    if (request.is_whole()) at = request.end;
    if (request.last && request.is_whole() && at != received.size())
      fail("bytes reached the server behind a last request", received);
    const bool more = !over && at < received.size();
    if (!tunnel && more && !answer.is_whole())
      fail("a connection was used again before its answer was whole", received);
    if (!tunnel && more && answer.last)
      fail("a connection was used again although its server ends it", received);
    connection.requests.push_back(std::move(request));
    connection.answers.push_back(std::move(answer));
    if (tunnel) {
      connection.tunnel_from = at;
      connection.tunnel_back = back;
      return;
    }
    if (over) return;
  }
}

bool may_be_repeated(const Message& request) {
  if (request.method == "GET" || request.method == "HEAD" || request.method == "OPTIONS") return true;
  const std::string path = request.path_query.substr(0, request.path_query.find('?'));
  return request.method == "POST" &&
         (path.ends_with("/git-upload-pack") || path.ends_with("/git-upload-archive"));
}

bool is_added(std::string_view name) {
  const std::string plain = strict::lower(name);
  return plain == "host" || plain == "connection" || plain == "upgrade" || plain == "transfer-encoding" ||
         plain == "content-length" || plain == "x-request-id" || plain == "x-forwarded-for" ||
         plain == "x-forwarded-proto" || plain == "x-forwarded-host";
}

// By these a server would take the client for somebody else; or they are for the next hop alone (RFC 9110
// §7.6.1).
bool is_never_passed(std::string_view name) {
  std::string plain = strict::lower(name);
  for (char& c : plain) c = c == '_' ? '-' : c;
  for (const char* prefix : {"x-webauth-", "x-remote-", "remote-", "x-auth-request-"}) {
    if (plain.starts_with(prefix)) return true;
  }
  return plain == "x-forwarded-user" || plain == "x-forwarded-email" || plain == "x-real-ip" ||
         plain == "forwarded" || plain == "keep-alive" || plain == "te" || plain == "trailer" ||
         plain == "proxy-connection" || plain == "proxy-authorization" || plain == "proxy";
}

// Fields of the request's own that nothing may take away.
bool is_always_passed(std::string_view name) {
  return strict::same(name, "git-protocol") || strict::same(name, "authorization") ||
         strict::same(name, "content-type") || strict::same(name, "content-encoding") ||
         strict::same(name, "cookie");
}

void Run::compare_request(const Message& sent, const Message& request, bool again) const {
  const auto wrong = [&](const char* what) {
    fail(std::string("a request reached the server with another ") + what + ": " + sent.start_line,
         request.start_line);
  };
  if (sent.method != request.method) wrong("method");
  if (sent.target != request.path_query) wrong("target");
  const bool by_1_0 = sent.minor_version == 0;
  if (by_1_0 && !(input_.until_close && request.path_query.find("git-upload-pack") != std::string::npos))
    wrong("version");
  const std::string host = request.authority.empty() ? "server" : request.authority;
  if (sent.count("host") != 1 || *sent.find("host") != host) wrong("host");
  if (sent.framing != request.framing || sent.length != request.length) wrong("framing");
  if (sent.is_whole() && !request.is_whole()) wrong("end: its body is short, and looks whole");
  if (sent.is_whole() ? sent.payload != request.payload : !request.payload.starts_with(sent.payload))
    wrong("body");
  if (again && !may_be_repeated(request)) wrong("one of its kind, which may not be sent twice");
  size_t at = 0;
  for (const strict::Field& field : sent.fields) {
    if (is_never_passed(field.name)) wrong("user, by a field that no client may set");
    if (is_added(field.name)) continue;
    while (at < request.fields.size() &&
           !(request.fields[at].name == field.name && request.fields[at].value == field.value)) {
      if (is_always_passed(request.fields[at].name)) wrong("set of fields: one is missing");
      at++;
    }
    if (at++ == request.fields.size()) wrong("set of fields: one was not there, or stands elsewhere");
  }
  for (; at < request.fields.size(); at++) {
    if (is_always_passed(request.fields[at].name)) wrong("set of fields: one is missing");
  }
  const std::string* const connection = sent.find("connection");
  if (connection != nullptr && *connection != (by_1_0 ? "close" : "Upgrade")) wrong("Connection field");
}

void Run::compare_answer(const Message& got, const Message& given) const {
  const auto wrong = [&](const char* what) {
    fail(std::string("the client was given another ") + what + ": " + got.start_line, given.start_line);
  };
  if (given.head != Verdict::whole) wrong("answer: the server's is no answer that may be passed on");
  if (got.status != given.status) wrong("status");
  if (!given.payload.starts_with(got.payload)) wrong("body");
  if (got.is_whole() && !given.is_whole())
    wrong("end: the server's answer is short or malformed, this one looks whole");
  if (got.is_whole() && got.payload.size() != given.payload.size()) wrong("length");
}

// The id of the exchange, if the proxy made this answer itself.
const std::string* own_id(const Message& answer, std::string_view method) {
  const std::string* const id = answer.find("x-request-id");
  if (id == nullptr || id->size() != 16 || answer.status < 400) return nullptr;
  const std::string* const type = answer.find("content-type");
  if (type == nullptr || *type != "text/plain; charset=utf-8") return nullptr;
  return method == "HEAD" || answer.payload.starts_with("breakwater: ") ? id : nullptr;
}

void Run::judge(const Client& client, size_t arrivals_end) {
  const strict::Requests requests = strict::read_requests(client.bytes, client_limits);
  const std::vector<Message>& asked = requests.messages;
  for (const Message& request : asked) {
    if (request.may_be_refused) return;
  }
  const bool body_refused = !asked.empty() && asked.back().body == Verdict::refused;
  // A head that is refused, or that never came to its end, behind the requests.
  const bool nonsense = requests.end != Verdict::whole && (asked.empty() || asked.back().is_whole());

  // What the client got.
  std::vector<Message> answers;
  size_t tunnel_from = std::string::npos;
  const std::string_view received = client.received;
  for (size_t at = 0; at < received.size();) {
    const Message* const request = answers.size() < asked.size() ? &asked[answers.size()] : nullptr;
    Message answer =
        strict::read_response(received, at, request != nullptr ? request->method : "GET",
                              request != nullptr && request->upgrade, client.end == Got::end, passed_limits);
    if (answer.head == Verdict::refused || answer.body == Verdict::refused)
      fail("what the client got is no answer", received);
    if (answer.head == Verdict::incomplete) {
      if (client.end == Got::end) fail("the head of an answer ends short, and in good order", received);
      break;
    }
    if (request != nullptr && request->minor_version == 0 && answer.framing == strict::Framing::chunked)
      fail("a chunked answer to HTTP/1.0", received);
    if (answer.is_whole()) at = answer.end;
    if (answer.status < 200 && answer.status != 101) continue;
    const bool over = !answer.is_whole() || answer.last || answer.status == 101;
    if (answer.status == 101) tunnel_from = at;
    const bool rest = answer.is_whole() && answer.last && at != received.size();
    answers.push_back(std::move(answer));
    if (rest) fail("bytes behind the last answer", received);
    if (over) break;
  }
  if (answers.size() > asked.size() + (nonsense ? 1 : 0)) fail("more answers than requests", received);

  // The requests that the server saw, and which answer is whose.
  size_t arrival = client.first_arrival;
  const auto id_of = [&](size_t index) -> const std::string& {
    static const std::string none;
    const Message& request = connections_[arrivals_[index].connection].requests.at(arrivals_[index].number);
    const std::string* const id = request.find("x-request-id");
    if (request.count("x-request-id") != 1)
      fail("a request reached the server without its id", request.start_line);
    return id == nullptr ? none : *id;
  };
  // All that was sent of one exchange; returns the last, or null if the next to come has another id.
  const auto take_exchange = [&](size_t number, const std::string* id) -> const Arrival* {
    if (arrival == arrivals_end || (id != nullptr && id_of(arrival) != *id)) return nullptr;
    if (number >= asked.size())
      fail("more reached the server than the client asked for",
           connections_[arrivals_[arrival].connection].requests.at(arrivals_[arrival].number).start_line);
    const std::string& of = id_of(arrival);
    size_t times = 0;
    while (arrival < arrivals_end && id_of(arrival) == of) {
      const Arrival& one = arrivals_[arrival++];
      compare_request(connections_[one.connection].requests.at(one.number), asked[number], times++ > 0);
    }
    if (times > 2) fail("a request was sent to one server more than twice", asked[number].start_line);
    return &arrivals_[arrival - 1];
  };
  for (size_t number = 0; number < answers.size(); number++) {
    const Message& answer = answers[number];
    const std::string* const own = own_id(answer, number < asked.size() ? asked[number].method : "GET");
    if (own != nullptr) {
      take_exchange(number, own);
      continue;
    }
    if (number == asked.size()) fail("nonsense was answered by somebody else than the proxy", received);
    const Arrival* const one = take_exchange(number, nullptr);
    if (one == nullptr) fail("an answer that no server gave", received);
    const Connection& connection = connections_[one->connection];
    compare_answer(answer, connection.answers.at(one->number));
    const Message& given = connection.answers.at(one->number);
    const bool by_1_0 = connection.requests.at(one->number).minor_version == 0;
    if (by_1_0 && answer.is_whole() && given.framing == strict::Framing::until_close &&
        !answer.payload.ends_with("0000"))
      fail("a pack was completed that Git's own framing does not end", received);
    if (answer.status != 101) continue;
    if (!rest_of(client.bytes, asked[number].end)
             .starts_with(rest_of(connection.received, connection.tunnel_from)))
      fail("a tunnel changed what the client said", connection.received);
    if (!rest_of(connection.sent, connection.tunnel_back).starts_with(rest_of(received, tunnel_from)))
      fail("a tunnel changed what the server said", received);
  }
  const bool tunnelled = tunnel_from != std::string::npos;
  if (!tunnelled) take_exchange(answers.size(), nullptr);
  if (arrival != arrivals_end) fail("more reached the server than was answered, and one", received);

  if (!input_.is_quiet() && &client == &first_) return;
  if (!input_.answers.empty()) return;
  for (size_t number = 0; number < asked.size(); number++) {
    const Message& request = asked[number];
    if (!request.is_whole()) break;
    // Who says that it is the last and goes on may lose the answer by that.
    if (request.last && request.end < client.bytes.size()) return;
    if (number >= answers.size()) fail("a sound request was not answered", request.start_line);
    const Message& answer = answers[number];
    if (own_id(answer, request.method) != nullptr)
      fail("a sound request was refused: " + request.start_line, received);
    const std::string expected =
        request.method == "HEAD" ? "" : "answer to " + request.method + " " + request.path_query;
    if (!answer.is_whole() || answer.payload != expected)
      fail("a sound request got another answer: " + request.start_line, received);
    // Whether its body came before the answer is a matter of time.
    if (request.expects_continue) return;
  }
  const bool refused = requests.end == Verdict::refused;
  if (!refused) return;
  const size_t last = body_refused ? asked.size() - 1 : asked.size();
  if (answers.size() <= last) fail("what must be refused was not answered", client.bytes);
  const unsigned status = answers[last].status;
  if (status < 400 || (status > 499 && status != 501)) fail("what must be refused was not", received);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 3 || size > input_bytes_max) return 0;
  sim::abort_on_violation();
  const Input input = read_input({reinterpret_cast<const char*>(data), size});
  {
    Run run(input);
    run.go();
  }
  if (FramePool::of_this_thread().live_count() != 0) fail("a coroutine never ended");
  return 0;
}
