// Splicer: moves the rest of a body through a pipe without copying it, by direct non-blocking splice calls.
//
// It knows four ways. A body of known length, or one that ends with its connection, passes as it is. If the
// sink wants chunks, each pipe-full gets a chunk line of ours. A server's body that comes in chunks passes
// with its own framing, once that was looked at (MSG_PEEK) and found to be in the one form that can't be
// misread; of small chunks everything is looked at, of large ones only the lines. An upload-pack answer whose
// end must be proven is looked at in the same way, pkt-line by pkt-line. A client's chunk lines are taken
// out, into memory that it can't reach, and each pipe-full of payload gets a line of ours
// (docs/decisions/0007).
//
// No operations and no waiting in here: run() does what can be done now and says what to wait for. One core.
#pragma once

#include <array>
#include <cstdint>

#include "base/error.h"
#include "core/core.h"
#include "proxy/flow.h"
#include "wire/http_body.h"
#include "wire/upload_pack.h"

namespace breakwater::proxy {

class Splicer {
 public:
  enum class Framing : uint8_t {
    none,        // bytes pass as they are
    own_chunks,  // a chunk line of ours before each pipe-full
    vetted,      // the source's chunks pass
    reframed,    // the source's chunk lines are taken out, and the rest is as with own_chunks
  };
  enum class Next : uint8_t {
    wait_readable,  // the source
    wait_writable,  // the sink
    next_turn,      // there is more to do, but others want their turn
    leave,          // the body is over, or something comes that has to be walked; nothing is in the pipe
    ended_badly,    // without the flush-pkt that it must end in; the sink has not heard of the end
    failed,         // see failed_side_is_sink() and sys_errno()
  };
  struct Route {
    int source = -1;
    int sink = -1;
    Framing framing = Framing::none;
    bool chunk_is_open = false;  // of ours, from an earlier run
    bool ends_in_flush = false;  // of vetted: the payload must; `reader` watches its tail
  };

  explicit Splicer(Core& core) noexcept;
  Splicer(const Splicer&) = delete;
  Splicer& operator=(const Splicer&) = delete;
  ~Splicer() { BW_ASSERT(!running()); }

  // Goes on with the body where `reader` stands. `end` follows an upload-pack answer, or is null. Both
  // outlive the run.
  void start(Pipe pipe, const Route& route, wire::BodyReader& reader, wire::UploadPackEnd* end) noexcept;
  Next run() noexcept;
  // Gives the pipe back and leaves both connections as they were. Once for each start.
  void stop() noexcept;

  bool running() const noexcept { return reader_ != nullptr; }
  bool moved_anything() const noexcept { return moved_bytes_ > 0; }  // since start
  uint64_t moved_bytes() const noexcept { return moved_bytes_; }     // into the pipe and out of it
  bool source_ended() const noexcept { return source_ended_; }
  bool stalled() const noexcept { return dry_runs_ >= dry_runs_max; }  // splice won't take what is there
  bool passes_source_framing() const noexcept { return route_.framing == Framing::vetted; }
  bool chunk_is_open() const noexcept { return chunk_open_; }  // of ours: the sink still needs its line end
  bool failed_side_is_sink() const noexcept { return sink_failed_; }
  int sys_errno() const noexcept { return sys_errno_; }

 private:
  // What a call on the source came to.
  enum class Came : uint8_t {
    bytes,
    nothing,  // source_drained_ or source_ended_ says why
    failed,
  };
  // So many times in a row the source was readable and gave nothing: TCP's urgent data, which stops splice(2)
  // for ever while poll(2) finds something to read.
  static constexpr uint32_t dry_runs_max = 16;

  Came fill() noexcept;
  Came look() noexcept;
  Came take_line() noexcept;
  Came judge(int64_t status) noexcept;
  void account(size_t moved) noexcept;
  uint64_t opaque() const noexcept;
  // What was vetted is through, and then comes the end, or something that has to be walked.
  bool nothing_may_pass() const noexcept { return vetted_bytes_ == 0 && (stuck_ || reader_->done()); }
  void frame_own_chunk() noexcept;
  Next drain() noexcept;
  Next wait_for_source() noexcept;
  Next give_up_on_splice() noexcept;
  Next fail(bool sink, int64_t status) noexcept;
  void set_low_water(size_t bytes) noexcept;
  static void on_lull(void* context);

  Core& core_;
  Route route_;
  wire::BodyReader* reader_ = nullptr;  // while it runs
  wire::UploadPackEnd* end_ = nullptr;
  Pipe pipe_;
  size_t vetted_bytes_ = 0;  // that were looked at, may pass, and stand in front of the source
  bool source_ended_ = false;
  bool source_drained_ = false;  // the last fill took all there was
  bool stuck_ = false;           // what comes next has to be walked
  bool ended_badly_ = false;
  bool chunk_open_ = false;
  bool sink_failed_ = false;
  int sys_errno_ = 0;
  uint64_t moved_bytes_ = 0;
  Flow flow_;
  size_t low_water_ = 1;  // of the source, as set
  size_t cut_bytes_ = 0;  // stand in front of the source: a chunk line that is not there whole
  uint32_t dry_runs_ = 0;
  Timer lull_;
  // What goes out before the pipe's bytes: the line end of our last chunk, and a chunk line.
  std::array<char, wire::chunk_header_bytes_max + 2> frame_;
  size_t frame_bytes_ = 0;
  size_t frame_sent_ = 0;
};

}  // namespace breakwater::proxy
