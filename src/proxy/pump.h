// Pump: moves one message body, behind a head, from one connection to another. A small state machine, awaited
// once.
//
// Small and trickling bodies, and the beginning of every other, are copied: the payload is taken out of the
// framing it came in and framed anew; a fill (receive into a picked buffer) and a drain (one gathered send)
// are in flight at the same time, with at most two buffers between them. Large bodies are spliced through a
// pipe (splicer.h), if the source is plain and the sink takes payload (Stream::takes_splices): readiness
// through the ring only on EAGAIN, then non-blocking splice calls.
//
// start(), then `co_await pump.finished`. stop() asks it to end early. When `finished` is set nothing is in
// flight and error() says how it went. The bytes of `head`, and of `initial` unless their buffer is handed
// over, stay in place until then. It may be started again after it has finished.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/error.h"
#include "core/await.h"
#include "core/core.h"
#include "proxy/splicer.h"
#include "proxy/wait_clock.h"
#include "tls/stream.h"
#include "wire/http_body.h"
#include "wire/pack_progress.h"
#include "wire/upload_pack.h"

namespace breakwater::proxy {

class Pump {
 public:
  enum class Framing : uint8_t { plain, chunked };  // towards the sink

  struct Plan {
    tls::Stream* source = nullptr;
    tls::Stream* sink = nullptr;
    Side source_side = Side::internal;
    Side sink_side = Side::internal;
    std::string_view head;                 // sent before everything else; may be empty
    HeadRoom::Lease* head_room = nullptr;  // where it stands: given back once the sink has it
    std::span<char> initial;               // body bytes that came with the source's head
    wire::BodyFraming from;
    Framing to = Framing::plain;
    bool half_close_sink = false;  // a tunnel: pass the end of the source on
    bool sink_closes = false;      // right behind the body: its last bytes and the end may leave together
    // An until_close or chunked body is whole only if Git's own framing says so, too; `unprovable`: its own
    // end alone is believed.
    wire::UploadPackAnswer git_end = wire::UploadPackAnswer::unprovable;
    // Of an upload-pack answer, with git_end, that another server can go on with as long as no more than
    // Git's progress has passed (wire/pack_progress.h).
    bool may_change_server = false;
    wire::PackOpening said;  // what the sink has of its opening, by another server: that is left out
    // Asked once if Git says that it failed while that is so: true ends the pump with Code::failed, and the
    // sink hears nothing of it.
    bool (*leaves_failed_git)(void* context) = nullptr;
    void* context = nullptr;
    uint64_t payload_max = 0;  // 0: no cap
    Count* payload_counter = nullptr;
    const Pump* twin = nullptr;  // moves the other direction of the same two connections
  };

  using Hook = void (*)(void* context);

  explicit Pump(Core& core) noexcept;
  Pump(const Pump&) = delete;
  Pump& operator=(const Pump&) = delete;
  ~Pump() { BW_ASSERT(state_ == State::unused || state_ == State::finished); }

  // `initial`: the buffer of the plan's initial bytes, given back once they are used. Empty: it is not ours.
  void start(const Plan& plan, Buffer initial = {}) noexcept;
  // Ends the pump with `why` unless it has ended; the first reason wins.
  void stop(const Error& why) noexcept;
  // Called when it has ended, just before `finished` is set.
  void set_hook(Hook hook, void* context) noexcept {
    hook_ = hook;
    hook_context_ = context;
  }

  Signal finished;
  bool started() const noexcept { return state_ != State::unused; }
  bool running() const noexcept { return state_ == State::running || state_ == State::stopping; }
  const Error& error() const noexcept { return error_; }          // Code::none: the whole body passed
  wire::Fault fault() const noexcept { return reader_.fault(); }  // with Code::malformed and truncated
  // The source is read to its end: what is left comes to its end by itself.
  bool only_sends() const noexcept { return reader_.done() && drain_.in_flight; }
  bool sent_anything() const noexcept { return sent_anything_; }
  uint64_t payload_bytes() const noexcept { return reader_.payload_bytes(); }
  uint64_t passed_bytes() const noexcept { return passed_bytes_; }  // of it, on their way to the sink
  // The answer is such that another server can go on with it.
  bool only_progress_passed() const noexcept;
  const wire::PackOpening& opening_passed() const noexcept;
  // After it has failed on the source's side: writes what ends the line that the sink has a part of, to be
  // sent before what another server has to say. Nothing if the answer can't go on.
  std::optional<size_t> end_open_line(std::span<char> out) const noexcept;
  int64_t last_progress_ns() const noexcept { return last_progress_ns_; }
  bool waits_for_sink() const noexcept { return drain_.in_flight; }
  bool waits_for_source() const noexcept { return fill_.in_flight; }
  // How long each was waited for, since the start: the sink to have room, the source to have bytes.
  int64_t waited_for_sink_ns() const noexcept { return sink_waits_.total_ns(core_.now_ns()); }
  int64_t waited_for_source_ns() const noexcept { return source_waits_.total_ns(core_.now_ns()); }
  size_t initial_used() const noexcept { return initial_used_; }  // unless their buffer was handed over
  // Bytes received beyond the end of the body, in a buffer of ours (only after all of `initial` was used, or
  // if it has such a buffer).
  bool has_leftover() const noexcept { return slots_[0].raw_bytes > 0 && slots_[0].buffer; }
  Buffer take_leftover(size_t& begin, size_t& end) noexcept;

 private:
  enum class State : uint8_t {
    unused,
    running,
    stopping,  // error_ is set; operations still in flight
    finished,
  };
  // Raw bytes of the source, not walked yet. The initial bytes may have no buffer of ours.
  struct Slot {
    Buffer buffer;
    char* raw = nullptr;
    size_t raw_bytes = 0;
    bool used = false;
  };

  static void on_filled(Op& op);
  static void on_drained(Op& op);
  static void on_end_said(Op& op);
  static void on_buffer(void* context);
  static void on_deferred(void* context);

  void step() noexcept;
  void walk() noexcept;
  void look_for_git_end() noexcept;
  void look_at_progress() noexcept;
  bool git_says_whole() const noexcept;
  bool worth_a_pipe() const noexcept;
  void start_fill() noexcept;
  void start_drain() noexcept;
  void send_rest() noexcept;
  void end_sink() noexcept;
  void sink_ended() noexcept;
  void end_of_source() noexcept;
  void begin_splice(Pipe pipe) noexcept;
  void splice_some() noexcept;
  void leave_splice() noexcept;
  void poll(Op& op, Op::Kind kind, int fd) noexcept;
  void fail(Code code, Side side, int sys_errno) noexcept;
  void fail_errno(Side side, int sys_errno) noexcept;
  void fail_behind_pieces(const Error& why) noexcept;
  bool owes_the_sink() const noexcept;
  void progress() noexcept { last_progress_ns_ = core_.now_ns(); }
  void settle() noexcept;
  void add_part(const void* data, size_t bytes) noexcept;
  void pass(uint64_t payload) noexcept;
  void end_open_chunk() noexcept;
  void pop_front_slot() noexcept;
  bool idle() const noexcept {
    return !fill_.in_flight && !drain_.in_flight && !waiter_.waiting() && !deferred_.queued();
  }

  Core& core_;
  State state_ = State::unused;
  Plan plan_;
  wire::BodyReader reader_;
  wire::Pieces pieces_;
  std::array<Slot, 2> slots_;  // [0] is walked and drained, [1] was filled behind it
  bool source_ended_ = false;
  int source_errno_ = 0;     // it ended with that
  bool sink_ended_ = false;  // it was told that nothing more comes (half_close_sink)
  bool end_framed_ = false;  // the sink's last bytes are on their way or there
  bool pipe_refused_ = false;
  bool chunk_open_ = false;  // a spliced chunk of ours still needs its CRLF
  size_t initial_used_ = 0;
  bool sent_anything_ = false;
  uint64_t passed_bytes_ = 0;
  int64_t last_progress_ns_ = 0;
  Error error_;
  Error failing_;             // what it ends with once the pieces are with the sink
  bool all_is_sent_ = false;  // when it failed, the sink had all that was walked
  Splicer splicer_;
  wire::UploadPackEnd git_end_;
  bool git_unseen_ = false;  // a part of it passed that git_end_ did not follow
  wire::PackProgress progress_;
  Op fill_, drain_;
  WaitClock source_waits_, sink_waits_;  // run exactly while these are in flight
  BufferWaiter waiter_;
  Deferred deferred_;
  Hook hook_ = nullptr;
  void* hook_context_ = nullptr;

  std::array<iovec, wire::Pieces::pieces_max + 7>
      parts_;  // head, CRLF, chunk line, pieces, CRLF, last chunk, trailers, CRLF
  size_t part_count_ = 0;
  size_t part_index_ = 0;
  msghdr message_{};
  std::array<char, wire::chunk_header_bytes_max> chunk_line_;
};

}  // namespace breakwater::proxy
