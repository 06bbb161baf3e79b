#include "proxy/prober.h"

#include <algorithm>
#include <cerrno>

#include "proxy/limits.h"
#include "wire/git_answer.h"

namespace breakwater::proxy {

using config::ns;

namespace {

constexpr wire::HeadLimits answer_limits{probe_head_bytes_max, probe_head_bytes_max};

std::string request_of(const config::Probe& probe, const ServerAddress& server) {
  using Type = config::Probe::Type;
  if (probe.type == Type::tcp) return {};
  const bool is_git = probe.type == Type::git;
  return "GET " + probe.path + (is_git ? "/info/refs?service=git-upload-pack" : "") +
         " HTTP/1.1\r\nHost: " + server.authority + "\r\nUser-Agent: breakwater/" BW_VERSION " probe\r\n" +
         (is_git ? "Git-Protocol: version=2\r\n" : "") + "Accept: */*\r\nConnection: close\r\n\r\n";
}

}  // namespace

Prober::Prober(Core& core, SharedPool& pool, uint32_t server, uint64_t seed)
    : core_(core),
      pool_(pool),
      probe_(pool.config.probe),
      server_(pool.servers[server]),
      index_(server),
      rng_(seed),
      beat_(core),
      call_(core),
      answer_(probe_.type == config::Probe::Type::tcp
                  ? nullptr
                  : std::make_unique_for_overwrite<char[]>(probe_answer_bytes)),
      scanner_(answer_limits) {
  beat_.look_every(ns(probe_.fast_interval), is_unsettled, this);
}

Task<void> Prober::run() {
  // Not all servers in the same instant.
  int64_t due_ns =
      core_.now_ns() + static_cast<int64_t>(rng_.next() % static_cast<uint64_t>(ns(probe_.fast_interval)));
  for (;;) {
    beat_.set(due_ns);
    co_await beat_.struck;
    if (beat_.stopped()) co_return;
    const int64_t begun_ns = core_.now_ns();
    const Verdict verdict = co_await ask();
    call_.close();
    if (beat_.stopped()) co_return;
    learn(verdict);
    due_ns = next_ns(begun_ns);
  }
}

void Prober::stop() noexcept {
  beat_.stop();
  call_.cancel();
}

// Where the probe goes; null while the server has no address. What was learnt of another address is
// forgotten.
const ServerAddress* Prober::address() {
  const ServerAddress* const at = pool_.health.server(index_).present() ? server_.at() : nullptr;
  if (at == nullptr || at == at_) return at;
  at_ = at;
  request_ = request_of(probe_, *at);
  streak_ = {};
  return at;
}

// One probe.
Task<Prober::Verdict> Prober::ask() {
  const ServerAddress* const at = address();
  if (at == nullptr) co_return Verdict::not_made;
  const int opened = call_.open(at->address, core_.now_ns() + ns(probe_.timeout));
  if (opened < 0) co_return Verdict::not_made;
  core_.stats().probes_sent.add();
  const int32_t connected = co_await call_.connect(at->address);
  if (connected < 0)
    co_return call_.late() ? fails(Why::late_connection) : fails(Why::no_connection, -connected);
  if (pool_.tls != nullptr) {
    const tls::Shake shake = co_await call_.shake_hands(pool_.tls->current.get(), pool_.tls->name_of(*at));
    if (!shake.done())
      co_return call_.late() ? fails(Why::late_connection)
                             : fails(Why::tls, static_cast<int>(shake.fault.kind));
  }
  if (request_.empty()) co_return Verdict::lives;
  const int32_t sent = co_await call_.send(request_);
  if (sent < 0) co_return call_.late() ? fails(Why::late_answer) : fails(Why::broke, -sent);
  const Verdict verdict = co_await read_answer();
  co_return verdict;
}

// No more of it than is needed to judge it.
Task<Prober::Verdict> Prober::read_answer() {
  size_t filled = 0;
  head_begin_ = head_end_ = 0;
  scanner_.reset();
  for (;;) {
    const std::span<char> room(answer_.get() + filled, probe_answer_bytes - filled);
    if (room.empty()) co_return fails(head_end_ == 0 ? Why::too_large : Why::not_git);
    const int32_t received = co_await call_.receive(room);
    if (received < 0) co_return call_.late() ? fails(Why::late_answer) : fails(Why::broke, -received);
    filled += static_cast<size_t>(received);
    const bool ended = received == 0;
    const Verdict verdict = judge({answer_.get(), filled}, ended);
    if (verdict != Verdict::undecided) co_return verdict;
    if (ended) co_return fails(Why::closed);
  }
}

Prober::Verdict Prober::judge(std::string_view bytes, bool ended) noexcept {
  failure_ = {};
  if (head_end_ == 0 && !find_head(bytes))
    return failure_.why == Why::none ? Verdict::undecided : Verdict::fails;
  const bool is_git = probe_.type == config::Probe::Type::git;
  const uint16_t wanted = is_git ? 200 : probe_.status;
  if (head_.status != wanted) return fails(Why::status, head_.status);
  return is_git ? judge_git(bytes.substr(head_end_), ended) : Verdict::lives;
}

// The final one, behind interim ones. False: it is not there yet, or fails() was called.
bool Prober::find_head(std::string_view bytes) noexcept {
  for (;;) {
    const std::string_view rest = bytes.substr(head_begin_);
    const wire::HeadScanner::State state = scanner_.scan(rest);
    if (state == wire::HeadScanner::State::incomplete) return false;
    const bool is_whole = state == wire::HeadScanner::State::complete;
    const std::string_view text = rest.substr(0, is_whole ? scanner_.end() : 0);
    const wire::Fault fault =
        is_whole ? wire::parse_response(text, answer_limits, wire::Method::get, head_) : scanner_.fault();
    if (fault != wire::Fault::none || scanner_.start() != 0) {
      fails(fault == wire::Fault::head_too_large ? Why::too_large : Why::not_http);
      return false;
    }
    head_begin_ += text.size();
    if (head_.status >= 200 || head_.status == 101) {
      head_end_ = head_begin_;
      return true;
    }
    scanner_.reset();
  }
}

Prober::Verdict Prober::judge_git(std::string_view body, bool ended) noexcept {
  constexpr wire::GitOperation operation = wire::GitOperation::advertise_fetch;
  if (!wire::has_type_of(operation, head_)) return fails(Why::not_git);
  switch (wire::judge_git_answer(operation, head_, body)) {
    case wire::GitAnswer::fine:
      return Verdict::lives;
    case wire::GitAnswer::undecided:
      return ended ? fails(Why::git_empty) : Verdict::undecided;
    case wire::GitAnswer::not_git:
      return fails(Why::not_git);
    case wire::GitAnswer::error:
    case wire::GitAnswer::not_our_ref:
      return fails(Why::git_error);
    case wire::GitAnswer::empty:
      return fails(Why::git_empty);
  }
  return Verdict::undecided;
}

Prober::Verdict Prober::fails(Why why, int number) noexcept {
  failure_ = {why, static_cast<uint16_t>(number)};
  return Verdict::fails;
}

void Prober::learn(Verdict verdict) noexcept {
  backends::PoolHealth& health = pool_.health;
  const bool lives = verdict == Verdict::lives;
  if (verdict == Verdict::fails) {
    core_.stats().probes_failed.add();
    health.probe_failed(index_, failure_);
  }
  const bool is_up = !health.server(index_).down();
  note_failed_connect(is_up, lives);
  const uint32_t needed = lives ? probe_.rise : probe_.fall;
  if (verdict != Verdict::not_made && streak_.says(lives, is_up, needed))
    health.probe_says(index_, lives, core_.now_ns());
  was_down_ = health.server(index_).down();
}

// A request that could not connect put the server down without a probe: so many of them are to confirm it,
// soon.
void Prober::note_failed_connect(bool is_up, bool lives) noexcept {
  if (!is_up && !was_down_) unconfirmed_ = probe_.fall;
  if (is_up) unconfirmed_ = 0;
  if (!lives && unconfirmed_ > 0) unconfirmed_--;
}

// Between two probes, from beginning to beginning.
int64_t Prober::next_ns(int64_t begun_ns) noexcept {
  const bool changing = streak_.changing() || unconfirmed_ > 0;
  const int64_t interval = ns(changing ? probe_.fast_interval : probe_.interval);
  return std::max(begun_ns + with_jitter(interval, rng_), core_.now_ns());
}

// A request could not connect, and so put it down: it is time for a probe.
bool Prober::is_unsettled(void* context) {
  Prober& self = *static_cast<Prober*>(context);
  const uint32_t version = self.pool_.health.version();
  if (version == self.version_) return false;
  self.version_ = version;
  return self.pool_.health.server(self.index_).down() != self.was_down_;
}

}  // namespace breakwater::proxy
