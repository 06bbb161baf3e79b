// Prober: asks one server again and again whether it lives, as its pool's Probe says, and tells PoolHealth.
//
// On one core only, however many serve: the others hear of it through PoolHealth. While a server is between
// up and down it is asked more often, and at once after a request could not connect to it. What is asked and
// read stands in memory of its own, made at the start, so that a probe neither allocates nor waits for
// buffers that requests hold.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "backends/streak.h"
#include "base/rng.h"
#include "coro/task.h"
#include "proxy/beat.h"
#include "proxy/pool.h"
#include "proxy/short_call.h"
#include "wire/http_head.h"

namespace breakwater::proxy {

class Prober {
 public:
  // Of a pool that has a probe. `pool` outlives this, and this outlives what run() gives.
  Prober(Core& core, SharedPool& pool, uint32_t server, uint64_t seed);
  Prober(const Prober&) = delete;
  Prober& operator=(const Prober&) = delete;

  // Until stop(), which it then follows within a few turns.
  Task<void> run();
  void stop() noexcept;

 private:
  enum class Verdict : uint8_t {
    undecided,
    lives,
    fails,     // for failure_
    not_made,  // for want of a descriptor or an address: it says nothing
  };
  using Why = backends::ProbeFailure::Why;

  const ServerAddress* address();
  Task<Verdict> ask();
  Task<Verdict> read_answer();
  Verdict judge(std::string_view bytes, bool ended) noexcept;
  bool find_head(std::string_view bytes) noexcept;
  Verdict judge_git(std::string_view body, bool ended) noexcept;
  Verdict fails(Why why, int number = 0) noexcept;
  void learn(Verdict verdict) noexcept;
  void note_failed_connect(bool is_up, bool lives) noexcept;
  int64_t next_ns(int64_t begun_ns) noexcept;
  static bool is_unsettled(void* context);

  Core& core_;
  SharedPool& pool_;
  const config::Probe& probe_;
  const Server& server_;
  const uint32_t index_;
  Rng rng_;
  Beat beat_;
  ShortCall call_;
  const ServerAddress* at_ = nullptr;     // that was probed last
  std::string request_;                   // to it; empty: a connection is enough
  const std::unique_ptr<char[]> answer_;  // probe_answer_bytes of it
  wire::HeadScanner scanner_;
  wire::ResponseHead head_;
  size_t head_begin_ = 0, head_end_ = 0;  // in answer_; no end yet: 0
  backends::ProbeFailure failure_;
  backends::Streak streak_;
  uint32_t version_ = 0;      // of the pool's health, when it was last looked at
  bool was_down_ = false;     // the server, once the last probe had been judged
  uint32_t unconfirmed_ = 0;  // probes that have still to fail, since a request could not connect
};

}  // namespace breakwater::proxy
