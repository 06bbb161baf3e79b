// One run: the real cores over the simulated kernel, the scheduler that lets them and everybody else act in
// an order that the seed decides, and the invariants that must hold at its end.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "core/core.h"
#include "coro/frame_pool.h"
#include "proxy/limits.h"
#include "proxy/serving.h"
#include "ring/sys.h"
#include "sim/leftovers.h"
#include "sim/ring_state.h"
#include "sim/verdict.h"
#include "sim/world.h"

namespace breakwater::sim {

namespace {

constexpr uint64_t turns_max = 20'000'000;
constexpr int64_t simulated_max_ns = 600'000 * ms;

config::Config configuration(const Scenario& scenario) {
  config::Config config;
  config.timeouts.head = std::chrono::milliseconds(head_timeout_ns / ms);
  config.timeouts.keep_alive = std::chrono::milliseconds(keep_alive_timeout_ns / ms);
  config.timeouts.connect = std::chrono::milliseconds(connect_timeout_ns / ms);
  config.timeouts.advertise = config.timeouts.response = std::chrono::milliseconds(response_timeout_ns / ms);
  config.timeouts.idle = std::chrono::milliseconds(idle_timeout_ns / ms);
  config.timeouts.client_pace = scenario.minds_pace ? client_pace : 0;
  config.timeouts.client_pace_window = std::chrono::milliseconds(client_pace_window_ns / ms);
  config.timeouts.server_idle = std::chrono::milliseconds(server_idle_timeout_ns / ms);
  config.timeouts.linger = std::chrono::milliseconds(linger_timeout_ns / ms);
  config.limits.connections = scenario.connections_max;
  config.limits.servers_idle = 8;
  return config;
}

config::Probe probe() {
  config::Probe probe;
  probe.type = config::Probe::Type::tcp;
  probe.interval = std::chrono::milliseconds(probe_interval_ns / ms);
  probe.fast_interval = std::chrono::milliseconds(probe_fast_interval_ns / ms);
  probe.timeout = std::chrono::milliseconds(probe_timeout_ns / ms);
  probe.rise = probe.fall = probe_turns;
  return probe;
}

CoreLimits core_limits(const Scenario& scenario) {
  return {.ring_entries = 64,
          .head_buffer_bytes = proxy::head_buffer_bytes,
          .head_buffers = scenario.head_buffers,
          .answer_buffers = std::max(scenario.head_buffers / 4, 16u),
          .bulk_buffer_bytes = proxy::bulk_buffer_bytes,
          .bulk_buffers = scenario.bulk_buffers,
          .head_rooms = scenario.head_rooms,
          .pipes = scenario.pipes,
          .pipe_bytes = 65536};
}

// One core of the proxy, as app/core_thread.cc puts it together.
struct SimCore {
  Stats stats;
  explicit SimCore(bool scarce) : log(scarce ? 4096 : 4 * 1024 * 1024) {}
  LogRing log;
  Mailbox mailbox;
  std::unique_ptr<Core> core;
  std::unique_ptr<proxy::Serving> serving;
  RingState* ring = nullptr;
  std::string lines;
};

// The others count for a thread, and here all cores share one; and here no server has an agent.
bool is_of_a_core(std::string_view counter) {
  return !counter.starts_with("agents_") && counter != "system_calls" && counter != "allocations" &&
         counter != "frames_allocated";
}

class Run {
 public:
  Run(const Scenario& scenario, bool trace)
      : scenario_(scenario), world_(scenario, trace), config_(configuration(scenario)) {}

  Summary go(std::map<std::string, uint64_t>& coverage);

 private:
  void start();
  void turn_one();
  bool all_ended() const;
  void post(Mailbox::Message message);
  void begin_drain(Mailbox::Message message);
  void check_memory() const;
  void check_probes();
  void check_end();
  void check_places();
  void check_waits() const;
  void add_coverage(std::map<std::string, uint64_t>& coverage) const;

  const Scenario& scenario_;
  World world_;
  config::Config config_;
  std::vector<proxy::Site> sites_;
  std::deque<proxy::SharedPool> pools_;
  std::vector<std::unique_ptr<SimCore>> cores_;
  uint64_t turns_ = 0;
  int64_t begun_ns_ = 0;
  uint64_t proxy_frame_bytes_ = 0;
};

void Run::start() {
  Kernel& kernel = world_.kernel;
  start_servers(world_);
  config_.pools.emplace_back().upload_pack_framing = scenario_.upload_pack_framing;
  config::Pool& pool = config_.pools[0];
  pool.name = "sim";
  pool.timeouts = static_cast<const config::PoolTimeouts&>(config_.timeouts);
  pool.health.eject_time = std::chrono::milliseconds(eject_time_ns / ms);
  pool.admission.operations = scenario_.operations_max;
  pool.admission.adaptive_min = scenario_.adaptive_min;
  pool.admission.advertisements = scenario_.advertisements_max;
  pool.admission.clones = scenario_.clones_max;
  pool.admission.queue_timeout = std::chrono::milliseconds(queue_timeout_ns / ms);
  pool.health.slow_start = std::chrono::milliseconds(eject_time_ns / ms);
  if (scenario_.probes) pool.probe = probe();
  std::deque<proxy::Server> servers;
  for (size_t index = 0; index < world_.servers.size(); index++) {
    const std::string name = "server" + std::to_string(index);
    pool.servers.push_back({.address = {name, 80}, .max = scenario_.operations_of_server_max});
    servers.emplace_back(name, world_.servers[index].address);
  }
  pools_.emplace_back(pool, std::move(servers));
  for (const Drain& drain : scenario_.drains) {
    const int64_t begun = kernel.now_ns();
    const auto say = [this, &kernel, server = drain.server](backends::Word word) {
      pools_[0].health.set_word(server, word, kernel.now_ns());
      kernel.cover("a server is drained while it serves");
    };
    kernel.at(begun + drain.from_ns, [say] { say(backends::Word::drain); });
    kernel.at(begun + drain.until_ns, [say] { say(backends::Word::ready); });
  }
  for (const Drain& absence : scenario_.absences) {
    const int64_t begun = kernel.now_ns();
    const bool anew = kernel.below(2) == 0;
    kernel.at(begun + absence.from_ns, [this, &kernel, absence] {
      pools_[0].health.leave(absence.server, kernel.now_ns());
      kernel.cover("DNS has a server no more");
    });
    kernel.at(begun + absence.until_ns, [this, &kernel, absence, anew] {
      pools_[0].health.arrive(absence.server, {}, anew, kernel.now_ns());
      kernel.cover("DNS has a server again");
    });
  }
  config::Listen listen;
  listen.name = "sim";
  listen.pool = "sim";
  sites_.push_back({"sim", proxy::Router(config_, listen), {}});
  kernel.describe_cores = [this] {
    std::string rings;
    for (const std::unique_ptr<SimCore>& one : cores_) {
      rings += "\n  core: " + one->ring->describe() + "; timers " +
               std::to_string(one->core->timers().armed_count()) + ", bulk buffers leased " +
               std::to_string(one->core->bulk_buffers().leased()) + ", exchanges " +
               std::to_string(one->stats.exchanges_active.get()) + ", connections " +
               std::to_string(one->stats.connections_open.get());
    }
    return rings;
  };
  const Faults faults = kernel.faults();
  kernel.calm();  // a start-up has errors of its own, which are not the subject here
  const uint64_t frame_bytes_before = FramePool::of_this_thread().live_bytes();
  for (uint32_t index = 0; index < scenario_.cores; index++) {
    auto& one = *cores_.emplace_back(std::make_unique<SimCore>(scenario_.scarce));
    std::string why;
    one.core = Core::open(index, core_limits(scenario_), one.stats, one.log, one.mailbox, why);
    BW_ASSERT(one.core != nullptr);
    one.ring = RingState::all().back();
    Address address = world_.proxy;
    const int fd = sys::listen_on(address, 100, index == 0);
    const std::vector<int> listeners{fd};
    one.serving = std::make_unique<proxy::Serving>(*one.core, config_, sites_, pools_, listeners,
                                                   scenario_.seed + index);
  }
  kernel.throw_again(faults);
  proxy_frame_bytes_ = FramePool::of_this_thread().live_bytes() - frame_bytes_before;
  if (scenario_.drain_ns != 0)
    kernel.at(kernel.now_ns() + scenario_.drain_ns, [this] { begin_drain(Mailbox::drain); });
  if (scenario_.stop_ns != 0)
    kernel.at(kernel.now_ns() + scenario_.stop_ns, [this] { begin_drain(Mailbox::stop_now); });
  start_clients(world_);
}

void Run::begin_drain(Mailbox::Message message) {
  world_.kernel.trace("operator", message == Mailbox::drain ? "drains" : "stops");
  world_.draining = true;
  post(message);
}

void Run::post(Mailbox::Message message) {
  for (const std::unique_ptr<SimCore>& one : cores_) {
    if (!one->core->ended()) one->mailbox.post(message);
  }
}

bool Run::all_ended() const {
  return std::all_of(cores_.begin(), cores_.end(), [](const auto& one) { return one->core->ended(); });
}

// What docs/memory.md promises for frames: 4 KiB a client connection, 1 KiB a server connection, 16 KiB a
// request and 4 KiB a server that is probed.
void Run::check_memory() const {
  uint64_t bound = 0;
  for (const std::unique_ptr<SimCore>& one : cores_) {
    const Stats& stats = one->stats;
    bound += stats.connections_open.get() * 4096 + stats.server_connections_open.get() * 1024 +
             stats.exchanges_active.get() * 16384;
  }
  if (scenario_.probes) bound += world_.servers.size() * 4096;
  if (proxy_frame_bytes_ > bound) {
    violation("frames of " + std::to_string(proxy_frame_bytes_) + " bytes are more than the documented " +
              std::to_string(bound));
  }
}

// Lets somebody act, or time pass.
void Run::turn_one() {
  Kernel& kernel = world_.kernel;
  kernel.run_events();
  std::vector<SimCore*> runnable;
  int64_t next_ns = kernel.next_event_ns();
  for (const std::unique_ptr<SimCore>& one : cores_) {
    if (one->core->ended()) continue;
    if (one->ring->runnable()) runnable.push_back(one.get());
    if (next_ns < 0 || one->ring->wake_ns() < next_ns) next_ns = one->ring->wake_ns();
  }
  if (runnable.empty()) {
    if (all_ended() && world_.clients.empty()) return;
    if (next_ns < 0 || next_ns == INT64_MAX) {
      violation("everybody waits, and nothing will ever happen" + kernel.describe_cores());
    }
    kernel.jump_to(next_ns);
    return;
  }
  SimCore& chosen = *runnable[kernel.below(runnable.size())];
  FramePool& frames = FramePool::of_this_thread();
  const uint64_t before = frames.live_bytes();
  chosen.core->turn();
  proxy_frame_bytes_ += frames.live_bytes() - before;
  check_memory();
  chosen.log.drain([&chosen](const char* data, size_t bytes) { chosen.lines.append(data, bytes); });
  kernel.pass(500 + static_cast<int64_t>(kernel.below(10'000)));
  if (kernel.strikes(Fault::time_jump)) {
    const auto jump = static_cast<int64_t>(kernel.below(3'000'000'000));
    kernel.trace("time", "jumps by ", jump / ms, " ms");
    kernel.pass(jump);
    world_.jumped_ns += jump;
  }
  if (++turns_ > turns_max) violation("the cores turn without end");
}

Summary Run::go(std::map<std::string, uint64_t>& coverage) {
  Kernel& kernel = world_.kernel;
  begun_ns_ = kernel.now_ns();
  start();
  while (!world_.clients.empty()) {
    turn_one();
    if (kernel.now_ns() - begun_ns_ > simulated_max_ns + world_.jumped_ns)
      violation("the run does not come to its end");
  }
  // Everybody has gone home: with nothing thrown any more, the cores must end by themselves.
  kernel.calm();
  if (scenario_.probes && !world_.draining) check_probes();
  begin_drain(Mailbox::drain);
  const int64_t limit = kernel.now_ns() + world_.patience_ns + keep_alive_timeout_ns;
  while (!all_ended()) {
    turn_one();
    if (kernel.now_ns() > limit)
      violation("a core did not end after the last client had gone" + kernel.describe_cores());
  }
  check_end();
  check_waits();
  add_coverage(coverage);
  Summary summary;
  for (const std::unique_ptr<SimCore>& one : cores_) {
    summary.connections += one->stats.connections_accepted.get();
    summary.requests += one->stats.requests.get();
  }
  summary.turns = turns_;
  summary.simulated_ns = kernel.now_ns() - begun_ns_;
  // The servers' connections end now, with nobody left to talk to.
  cores_.clear();
  if (kernel.open_descriptors() != 0) {
    std::string open;
    kernel.describe_open(open);
    violation("descriptors were left open:" + open);
  }
  while (!world_.connections.empty()) {
    if (kernel.next_event_ns() < 0) violation("a simulated server waits for what will never happen");
    kernel.jump_to(kernel.next_event_ns());
    kernel.run_events();
  }
  return summary;
}

// With nothing thrown any more, probes find those who live and those who don't, also such as died and came
// back.
void Run::check_probes() {
  Kernel& kernel = world_.kernel;
  int64_t until = kernel.now_ns();
  for (const Restart& restart : scenario_.restarts) until = std::max(until, begun_ns_ + restart.until_ns);
  until += probe_interval_ns * 2 + (probe_timeout_ns + probe_fast_interval_ns) * (probe_turns + 1) + slack_ns;
  while (kernel.now_ns() < until) turn_one();
  for (uint32_t index = 0; index < world_.servers.size(); index++) {
    const bool lives = index < scenario_.servers;
    const bool is_down = pools_[0].health.state(index, kernel.now_ns()) == backends::State::down;
    if (lives == is_down)
      violation("probes take server " + std::to_string(index) + " for " + (is_down ? "down" : "up"));
  }
  for (const Restart& restart : scenario_.restarts) {
    const backends::Reason reason = pools_[0].health.server(restart.server).reason();
    if (reason == backends::Reason::probe || reason == backends::Reason::connect)
      kernel.cover("a server that died was found again by probes");
  }
}

// Whoever was let in has left, and nobody has left twice.
void Run::check_places() {
  const backends::Admission& admission = pools_[0].admission;
  const backends::Places& places = pools_[0].health.places();
  uint32_t held = admission.inside() + admission.inside(backends::Part::advertisement) +
                  admission.inside(backends::Part::clone);
  for (size_t index = 0; index < world_.servers.size(); index++)
    held += places.taken(static_cast<uint32_t>(index));
  if (held != 0) violation(std::to_string(held) + " places of the pool's limits are held at the end");
}

void Run::check_end() {
  uint64_t in = 0, out = 0, moved = 0, requests = 0;
  size_t lines = 0;
  for (const std::unique_ptr<SimCore>& one : cores_) {
    const Stats& stats = one->stats;
    in += stats.bytes_from_clients.get() + stats.bytes_to_clients.get();
    moved += stats.bytes_copied.get() + stats.bytes_spliced.get();
    requests += stats.requests.get();
    one->log.drain([&one](const char* data, size_t bytes) { one->lines.append(data, bytes); });
    lines += static_cast<size_t>(std::count(one->lines.begin(), one->lines.end(), '\n'));
    out += stats.log_dropped.get();
    check_leftovers(*one->core, stats);
  }
  check_places();
  if (in != moved)
    violation("body bytes: " + std::to_string(in) + " were counted by direction, " + std::to_string(moved) +
              " by the way they moved");
  if (requests != lines + out)
    violation(std::to_string(requests) + " requests, but " + std::to_string(lines) +
              " lines in the access log");
  if (proxy_frame_bytes_ != 0)
    violation(std::to_string(proxy_frame_bytes_) + " bytes of frames were never freed");
}

// Each wait of a request against the timeout that bears its name, by the access log.
void Run::check_waits() const {
  struct Wait {
    const char* key;
    int64_t timeout_ns;
  };
  static constexpr Wait waits[] = {{"\"head_ms\":", head_timeout_ns},
                                   {"\"connect_ms\":", connect_timeout_ns},
                                   {"\"first_byte_ms\":", response_timeout_ns}};
  for (const std::unique_ptr<SimCore>& one : cores_) {
    for (const Wait& wait : waits) {
      for (size_t at = 0; (at = one->lines.find(wait.key, at)) != std::string::npos;) {
        at += std::strlen(wait.key);
        const double waited_ms = std::strtod(one->lines.c_str() + at, nullptr);
        const int64_t limit_ns = wait.timeout_ns + slack_ns + world_.jumped_ns;
        if (waited_ms * 1e6 <= static_cast<double>(limit_ns)) continue;
        violation("a request waited longer than its timeout: " + std::string(wait.key) +
                  std::to_string(waited_ms));
      }
    }
  }
}

void Run::add_coverage(std::map<std::string, uint64_t>& coverage) const {
  for (const auto& [what, count] : world_.kernel.covered()) coverage["seen: " + std::string(what)] += count;
  for (size_t fault = 0; fault < fault_kinds; fault++) {
    coverage["fault: " + std::string(fault_names[fault])] += world_.kernel.thrown()[fault];
  }
  for (const std::unique_ptr<SimCore>& one : cores_) {
#define BW_ADD(name, help) \
  if (is_of_a_core(#name)) coverage["counter: " #name] += one->stats.name.get();
    BW_COUNTERS(BW_ADD)
#undef BW_ADD
    // "phase":"response_body" and "ended_by":"server" of each line, and the status of what failed.
    const std::string& lines = one->lines;
    size_t at = 0;
    while (at < lines.size()) {
      const size_t end = lines.find('\n', at);
      const std::string_view line(lines.data() + at, end - at);
      at = end + 1;
      const auto value = [&line](std::string_view key) {
        const size_t begin = line.find(key);
        if (begin == std::string_view::npos) return std::string_view("?");
        const size_t first = begin + key.size();
        return line.substr(first, line.find('"', first) - first);
      };
      coverage["ended: " + std::string(value("\"phase\":\"")) + " by " +
               std::string(value("\"ended_by\":\""))]++;
    }
  }
}

}  // namespace

Address address_of(uint32_t host, uint16_t port) {
  Address address;
  address.bytes = sizeof(sockaddr_in);
  address.v4.sin_family = AF_INET;
  address.v4.sin_addr.s_addr = htonl(0x0A000000u + host);
  address.set_port(port);
  return address;
}

World::World(const Scenario& the_scenario, bool trace)
    : scenario(the_scenario), quiet(the_scenario.quiet()), kernel(the_scenario.seed, the_scenario.faults) {
  kernel.tracing = trace;
  proxy = address_of(1, 8080);
  patience_ns = head_timeout_ns + queue_timeout_ns + connect_timeout_ns * 4 + response_timeout_ns * 4 +
                idle_timeout_ns + keep_alive_timeout_ns + slack_ns;
  for (const ClientPlan& client : scenario.clients) {
    for (const RequestPlan& plan : client.requests) records[plan.id] = {.plan = &plan, .client = &client};
  }
}
World::~World() = default;

Summary run(const Scenario& scenario, bool trace, std::map<std::string, uint64_t>& coverage) {
  return Run(scenario, trace).go(coverage);
}

std::vector<std::string> everything_to_cover() {
  std::vector<std::string> all;
  for (const std::string_view fault : fault_names) all.push_back("fault: " + std::string(fault));
  for (size_t kind = 0; kind < kinds; kind++)
    all.push_back(std::string("seen: ") + name(static_cast<Kind>(kind)));
  for (size_t fault = 0; fault < server_faults; fault++)
    all.push_back(std::string("seen: ") + name(static_cast<ServerFault>(fault)));
  for (size_t fault = 0; fault < client_faults; fault++)
    all.push_back(std::string("seen: ") + name(static_cast<ClientFault>(fault)));
  for (const char* what : {"accept: no descriptor",
                           "accept: ends with a connection",
                           "receive: no buffers",
                           "receive: bytes",
                           "receive: end",
                           "receive: reset",
                           "send: bytes",
                           "send: broken",
                           "poll: gone",
                           "poll: ready",
                           "connect: done",
                           "connect: refused",
                           "cancel: in time",
                           "cancel: too late",
                           "splice: into a pipe",
                           "peek: bytes",
                           "low water: raised",
                           "low water: lowered",
                           "splice: out of a pipe",
                           "Git: fetch, version 0",
                           "Git: fetch, version 2",
                           "Git: ls-refs, version 2",
                           "receive now",
                           "Git: a request of an operation",
                           "Git: a pack was taken over",
                           "a slow server",
                           "a useless answer was passed on",
                           "a server is drained while it serves",
                           "DNS has a server no more",
                           "DNS has a server again",
                           "Git: nobody took over",
                           "Git: asked for by HTTP/1.0",
                           "Git: until close",
                           "Git: until close, and short",
                           "a reply of the proxy",
                           "a server that failed was replaced",
                           "a server that died was found again by probes",
                           "a surplus on a connection at rest",
                           "result: whole",
                           "result: a reply of the proxy",
                           "result: cut",
                           "result: nothing"}) {
    all.push_back(std::string("seen: ") + what);
  }
#define BW_NAME(name, help) \
  if (is_of_a_core(#name)) all.push_back("counter: " #name);
  BW_COUNTERS(BW_NAME)
#undef BW_NAME
  all.push_back("ended: head by client");
  all.push_back("ended: head by proxy");
  for (const char* phase : {"connect", "request", "response_head", "response_body", "tunnel"}) {
    for (const char* side : {"client", "server", "proxy"})
      all.push_back(std::string("ended: ") + phase + " by " + side);
  }
  all.push_back("ended: done by done");
  all.push_back("ended: done by server");
  all.push_back("ended: tunnel by done");
  return all;
}

}  // namespace breakwater::sim
