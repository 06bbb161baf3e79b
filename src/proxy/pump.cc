#include "proxy/pump.h"

#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "proxy/limits.h"
#include "ring/sys.h"
#include "wire/pkt_line.h"

namespace breakwater::proxy {

namespace {

constexpr std::string_view line_end = "\r\n";
constexpr std::string_view last_chunk = "0\r\n";

}  // namespace

Pump::Pump(Core& core) noexcept
    : finished(core), core_(core), splicer_(core), waiter_(on_buffer, this), deferred_(on_deferred, this) {
  fill_.context = this;
  drain_.context = this;
}

void Pump::start(const Plan& plan, Buffer initial) noexcept {
  BW_ASSERT(!running());
  BW_ASSERT(!slots_[0].used && part_count_ == 0);
  state_ = State::running;
  finished.clear();
  error_ = failing_ = {};
  source_ended_ = end_framed_ = sink_ended_ = pipe_refused_ = chunk_open_ = sent_anything_ = all_is_sent_ =
      false;
  source_errno_ = 0;
  initial_used_ = 0;
  passed_bytes_ = 0;
  pieces_.clear();
  plan_ = plan;
  reader_.start(plan.from);
  git_end_.start(plan.git_end);
  git_unseen_ = false;
  progress_.start(plan.may_change_server ? plan.git_end : wire::UploadPackAnswer::unprovable, plan.said);
  source_waits_ = sink_waits_ = {};
  const bool has_git_end = plan.git_end != wire::UploadPackAnswer::unprovable;
  if (has_git_end && plan.from.kind == wire::BodyKind::chunked) reader_.watch_tail();
  progress();
  if (!plan.head.empty()) add_part(plan.head.data(), plan.head.size());
  if (!plan.initial.empty()) {
    slots_[0].used = true;
    slots_[0].raw = plan.initial.data();
    slots_[0].raw_bytes = plan.initial.size();
    slots_[0].buffer = std::move(initial);
  }
  step();
}

void Pump::stop(const Error& why) noexcept {
  if (state_ != State::running) return;
  error_ = why;
  all_is_sent_ = pieces_.count == 0 && part_count_ == 0;
  state_ = State::stopping;
  waiter_.stop();
  deferred_.stop();
  plan_.source->cancel(fill_);
  plan_.sink->cancel(drain_);
  settle();
}

void Pump::fail(Code code, Side side, int sys_errno) noexcept {
  stop({code, side, sys_errno});
}

void Pump::fail_errno(Side side, int sys_errno) noexcept {
  fail(sys_errno == ECANCELED ? Code::cancelled : Code::reset, side, sys_errno);
}

// What was walked goes to the sink first, if another server may go on behind it. So does what ends the line
// of a server before; but the head of an answer of which nothing was sent may still become another one.
void Pump::fail_behind_pieces(const Error& why) noexcept {
  failing_ = why;
  if (!owes_the_sink() || !only_progress_passed()) stop(why);
}

bool Pump::owes_the_sink() const noexcept {
  return pieces_.count > 0 || (part_count_ > 0 && plan_.said.bytes > 0);
}

// Ends a stopping pump once nothing is in flight.
void Pump::settle() noexcept {
  if (state_ != State::stopping || !idle()) return;
  state_ = State::finished;
  if (splicer_.running()) splicer_.stop();
  if (error_.code != Code::none || !slots_[0].buffer) {
    slots_[0] = {};
    slots_[1] = {};
    part_count_ = part_index_ = 0;
  }
  if (hook_ != nullptr) hook_(hook_context_);
  finished.set();
}

// The one function that moves between states: does whatever can be done now.
void Pump::step() noexcept {
  if (state_ != State::running) return settle();
  if (splicer_.running()) return splice_some();
  if (!drain_.in_flight) {
    walk();
    if (state_ != State::running) return;
    start_drain();
    if (state_ != State::running) return;
  }
  if (worth_a_pipe() && slots_[0].raw_bytes == 0) {
    // Begins when what is in our buffers is through, so that nothing more gets there.
    if (drain_.in_flight || fill_.in_flight || slots_[0].used || slots_[1].used) return;
    Pipe pipe = core_.pipes().acquire();
    if (pipe) return begin_splice(std::move(pipe));
    pipe_refused_ = true;
    core_.stats().pipe_misses.add();
  }
  start_fill();
}

// Takes payload out of the front slot, until there is something to send or nothing more to walk.
void Pump::walk() noexcept {
  if (failing_.code != Code::none) {
    if (!owes_the_sink()) stop(failing_);
    return;
  }
  while (pieces_.count == 0 && !reader_.done()) {
    Slot& front = slots_[0];
    if (!front.used) {
      if (source_ended_) end_of_source();
      return;
    }
    const size_t used = reader_.walk({front.raw, front.raw_bytes}, pieces_);
    if (plan_.git_end != wire::UploadPackAnswer::unprovable) look_for_git_end();
    if (progress_.follows()) look_at_progress();
    if (failing_.code != Code::none) return;
    front.raw += used;
    front.raw_bytes -= used;
    if (!front.buffer) initial_used_ += used;
    if (reader_.fault() != wire::Fault::none)
      return fail_behind_pieces({Code::malformed, plan_.source_side, 0});
    if (plan_.payload_max != 0 && reader_.payload_bytes() > plan_.payload_max) {
      return fail(Code::too_large, plan_.source_side, 0);
    }
    if (reader_.done() && !git_says_whole())
      return fail_behind_pieces({Code::truncated, plan_.source_side, 0});
    if (pieces_.count == 0 && front.raw_bytes == 0) pop_front_slot();
  }
}

void Pump::look_for_git_end() noexcept {
  for (size_t index = 0; index < pieces_.count; index++)
    git_end_.look({pieces_.piece[index].data, pieces_.piece[index].bytes});
}

// While only progress passes: leaves out an opening that the sink has, and what Git says of its failure if
// another server is to be asked.
void Pump::look_at_progress() noexcept {
  using Stage = wire::PackProgress::Stage;
  const size_t known_before = std::min(progress_.opening().bytes, plan_.said.bytes);
  size_t passes = 0;
  for (size_t index = 0; index < pieces_.count && progress_.follows(); index++)
    passes += progress_.look({pieces_.piece[index].data, pieces_.piece[index].bytes});
  const size_t known = std::min(progress_.opening().bytes, plan_.said.bytes) - known_before;
  if (progress_.stage() == Stage::differs) {
    pieces_.clear();
    return fail_behind_pieces({Code::differs, plan_.source_side, 0});
  }
  if (progress_.stage() == Stage::failed) {
    if (plan_.leaves_failed_git(plan_.context)) {
      pieces_.keep_front(passes);
      failing_ = {Code::failed, plan_.source_side, 0};
    } else {
      progress_.start(wire::UploadPackAnswer::unprovable);  // the sink hears of it, and nobody goes on
    }
  }
  pieces_.drop_front(known);
  if (failing_.code != Code::none) fail_behind_pieces(failing_);
}

bool Pump::only_progress_passed() const noexcept {
  return progress_.stage() != wire::PackProgress::Stage::beyond;  // which it is where none may
}

const wire::PackOpening& Pump::opening_passed() const noexcept {
  const bool is_ahead = progress_.opening().bytes > plan_.said.bytes;
  return is_ahead && progress_.stage() != wire::PackProgress::Stage::differs ? progress_.opening()
                                                                             : plan_.said;
}

std::optional<size_t> Pump::end_open_line(std::span<char> out) const noexcept {
  if (!all_is_sent_ || error_.side != plan_.source_side) return {};
  return progress_.end_open_line(out);
}

// If all of it passed through our hands, Git's own framing tells. Of chunks that were spliced only the end
// was seen.
bool Pump::git_says_whole() const noexcept {
  if (plan_.git_end == wire::UploadPackAnswer::unprovable) return true;
  return git_unseen_ ? reader_.tail() == wire::flush_pkt : git_end_.proven();
}

void Pump::end_of_source() noexcept {
  // The kernel reports a reset once. If the twin's send heard of it, our receive sees what looks like an
  // orderly end, and a body that lasts until the end would pass for whole. (After a real end that send gets
  // EPIPE.)
  const Error told = plan_.twin != nullptr ? plan_.twin->error() : Error{};
  if (told.sys_errno == ECONNRESET && told.side == plan_.source_side) {
    return fail_behind_pieces({Code::reset, plan_.source_side, ECONNRESET});
  }
  if (source_errno_ != 0) return fail_behind_pieces({Code::reset, plan_.source_side, source_errno_});
  if (!git_says_whole() || !reader_.end_of_connection())
    fail_behind_pieces({Code::truncated, plan_.source_side, 0});
}

void Pump::pop_front_slot() noexcept {
  slots_[0] = std::move(slots_[1]);
  slots_[1] = {};
}

void Pump::add_part(const void* data, size_t bytes) noexcept {
  BW_ASSERT(part_count_ < parts_.size());
  parts_[part_count_++] = {const_cast<void*>(data), bytes};
}

void Pump::pass(uint64_t payload) noexcept {
  passed_bytes_ += payload;
  if (plan_.payload_counter != nullptr) plan_.payload_counter->add(payload);
}

void Pump::end_open_chunk() noexcept {
  if (chunk_open_) add_part(line_end.data(), line_end.size());
  chunk_open_ = false;
}

// Frames the pieces (and the end of the body, once it is known) and sends all of it in one call.
void Pump::start_drain() noexcept {
  if (drain_.in_flight) return;
  const bool chunked = plan_.to == Framing::chunked;
  if (pieces_.count > 0) {
    pass(pieces_.bytes);
    core_.stats().bytes_copied.add(pieces_.bytes);
    if (chunked) {
      end_open_chunk();
      const size_t line_bytes = wire::write_chunk_header(
          pieces_.bytes,
          std::span<char, wire::chunk_header_bytes_max>(chunk_line_.data(), wire::chunk_header_bytes_max));
      add_part(chunk_line_.data(), line_bytes);
    }
    for (size_t index = 0; index < pieces_.count; index++) {
      add_part(pieces_.piece[index].data, pieces_.piece[index].bytes);
    }
    if (chunked) add_part(line_end.data(), line_end.size());
  }
  if (reader_.done() && !end_framed_ && failing_.code == Code::none) {
    end_framed_ = true;
    if (chunked) {
      end_open_chunk();
      add_part(last_chunk.data(), last_chunk.size());
      if (!reader_.trailers().empty()) add_part(reader_.trailers().data(), reader_.trailers().size());
      add_part(line_end.data(), line_end.size());
    }
  }
  if (part_count_ > 0) return send_rest();
  if (!end_framed_ || fill_.in_flight) return;
  // Everything is with the sink.
  if (plan_.half_close_sink && !sink_ended_) return end_sink();
  state_ = State::stopping;
  settle();
}

// Of a tunnel.
void Pump::end_sink() noexcept {
  drain_.message = plan_.sink->say_end();
  if (drain_.message == nullptr) return sink_ended();
  drain_.kind = Op::Kind::send_message;
  drain_.on_complete = on_end_said;
  sink_waits_.begin(core_.now_ns());
  plan_.sink->submit(drain_);
}

void Pump::on_end_said(Op& op) {
  Pump& self = *static_cast<Pump*>(op.context);
  self.sink_waits_.end(self.core_.now_ns());
  if (self.state_ != State::running) return self.settle();
  self.sink_ended();
}

void Pump::sink_ended() noexcept {
  sink_ended_ = true;
  sys::shutdown_write(plan_.sink->fd());
  step();
}

void Pump::send_rest() noexcept {
  iovec& first = parts_[part_index_];
  if (part_count_ - part_index_ == 1) {
    drain_.kind = Op::Kind::send;
    drain_.data = first.iov_base;
    drain_.bytes = first.iov_len;
  } else {
    drain_.kind = Op::Kind::send_message;
    message_.msg_iov = &first;
    message_.msg_iovlen = part_count_ - part_index_;
    drain_.message = &message_;
  }
  drain_.hold = end_framed_ && plan_.sink_closes;
  drain_.on_complete = on_drained;
  sink_waits_.begin(core_.now_ns());
  plan_.sink->submit(drain_);
}

void Pump::on_drained(Op& op) {
  Pump& self = *static_cast<Pump*>(op.context);
  self.sink_waits_.end(self.core_.now_ns());
  const bool splices = self.splicer_.running();
  // A send over TLS that failed or was cancelled had its records sealed: a part of them may be out.
  if (!splices && (op.result > 0 || self.plan_.sink->is_secure())) self.sent_anything_ = true;
  if (self.state_ != State::running) return self.settle();
  if (op.result < 0) return self.fail_errno(self.plan_.sink_side, -op.result);
  self.progress();
  if (splices) return self.splice_some();  // the sink became writable
  size_t sent = static_cast<size_t>(op.result);
  while (self.part_index_ < self.part_count_ && sent >= self.parts_[self.part_index_].iov_len) {
    sent -= self.parts_[self.part_index_++].iov_len;
  }
  if (self.part_index_ < self.part_count_) {
    iovec& part = self.parts_[self.part_index_];
    part.iov_base = static_cast<char*>(part.iov_base) + sent;
    part.iov_len -= sent;
    return self.send_rest();
  }
  self.part_count_ = self.part_index_ = 0;
  self.pieces_.clear();
  if (self.plan_.head_room != nullptr) std::exchange(self.plan_.head_room, nullptr)->release();
  if (self.slots_[0].used && self.slots_[0].raw_bytes == 0) self.pop_front_slot();
  self.step();
}

// One receive ahead of what is being sent, but never beyond bytes that were not walked: they might hold the
// end.
void Pump::start_fill() noexcept {
  if (fill_.in_flight || waiter_.waiting() || source_ended_ || reader_.done()) return;
  if (failing_.code != Code::none) return;
  if (slots_[1].used || slots_[0].raw_bytes > 0) return;
  fill_.kind = Op::Kind::receive_selected;
  fill_.group = core_.bulk_buffers().id();
  fill_.bytes = static_cast<size_t>(std::min<uint64_t>(reader_.remaining(), core_.bulk_buffers().bytes()));
  fill_.on_complete = on_filled;
  source_waits_.begin(core_.now_ns());
  plan_.source->submit(fill_);
}

void Pump::on_buffer(void* context) {
  static_cast<Pump*>(context)->step();
}

void Pump::on_filled(Op& op) {
  Pump& self = *static_cast<Pump*>(op.context);
  self.source_waits_.end(self.core_.now_ns());
  Buffer picked;
  if (op.buffer_selected) picked = self.core_.bulk_buffers().take_picked(op.buffer_id);
  if (self.state_ != State::running) return self.settle();
  if (self.splicer_.running()) {  // the source became readable
    if (op.result < 0) return self.fail_errno(self.plan_.source_side, -op.result);
    return self.splice_some();
  }
  if (op.result == -ENOBUFS) {
    self.core_.bulk_buffers().wait(self.waiter_);
    return;
  }
  if (op.result < 0 && !self.only_progress_passed())
    return self.fail_errno(self.plan_.source_side, -op.result);
  self.progress();
  if (op.result <= 0) {
    self.source_ended_ = true;
    self.source_errno_ = -op.result;
  } else {
    Slot& slot = self.slots_[0].used ? self.slots_[1] : self.slots_[0];
    BW_ASSERT(!slot.used && picked);
    slot.raw = picked.data() + self.core_.bulk_buffers().lead() - op.early;
    slot.raw_bytes = static_cast<size_t>(op.result);
    slot.buffer = std::move(picked);
    slot.used = true;
  }
  self.step();
}

Buffer Pump::take_leftover(size_t& begin, size_t& end) noexcept {
  Slot& slot = slots_[0];
  begin = static_cast<size_t>(slot.raw - slot.buffer.data());
  end = begin + slot.raw_bytes;
  Buffer buffer = std::move(slot.buffer);
  slot = {};
  return buffer;
}

// Much still to come, in a form that a pipe can take.
bool Pump::worth_a_pipe() const noexcept {
  if (plan_.source->is_secure() || !plan_.sink->takes_splices()) return false;
  if (pipe_refused_ || splicer_.running() || reader_.done() || source_ended_) return false;
  if (progress_.follows()) return false;
  if (plan_.payload_max != 0) return false;
  switch (plan_.from.kind) {
    case wire::BodyKind::none:
      return false;
    case wire::BodyKind::length:
      return reader_.remaining() >= splice_length_min;
    case wire::BodyKind::chunked:
      return plan_.to == Framing::chunked && reader_.payload_bytes() >= splice_after_bytes &&
             reader_.can_vet();
    case wire::BodyKind::until_close:
      return reader_.payload_bytes() >= splice_after_bytes;
  }
  return false;
}

void Pump::poll(Op& op, Op::Kind kind, int fd) noexcept {
  op.kind = kind;
  op.fd = fd;
  const bool is_fill = &op == &fill_;
  op.on_complete = is_fill ? on_filled : on_drained;
  (is_fill ? source_waits_ : sink_waits_).begin(core_.now_ns());
  core_.ring().submit(op);
}

void Pump::on_deferred(void* context) {
  static_cast<Pump*>(context)->step();
}

void Pump::begin_splice(Pipe pipe) noexcept {
  waiter_.stop();  // no buffer is needed any more
  Splicer::Framing framing = Splicer::Framing::none;
  // What is spliced may still change behind our back if its sender runs on this machine and sent it from a
  // file. Payload is its own business; a client's chunk line would become a request of its making.
  if (plan_.from.kind == wire::BodyKind::chunked)
    framing = plan_.source_side == Side::upstream ? Splicer::Framing::vetted : Splicer::Framing::reframed;
  else if (plan_.to == Framing::chunked)
    framing = Splicer::Framing::own_chunks;
  const bool has_git_end = plan_.git_end != wire::UploadPackAnswer::unprovable;
  const bool sees_packets = has_git_end && plan_.from.kind == wire::BodyKind::until_close;
  git_unseen_ = has_git_end && !sees_packets;
  splicer_.start(std::move(pipe), {plan_.source->fd(), plan_.sink->fd(), framing, chunk_open_, git_unseen_},
                 reader_, sees_packets ? &git_end_ : nullptr);
  splice_some();
}

void Pump::splice_some() noexcept {
  if (fill_.in_flight || drain_.in_flight || deferred_.queued()) return;
  const uint64_t payload_before = reader_.payload_bytes();
  const uint64_t moved_before = splicer_.moved_bytes();
  const Splicer::Next next = splicer_.run();
  const uint64_t payload = reader_.payload_bytes() - payload_before;
  core_.stats().bytes_spliced.add(payload);
  pass(payload);
  if (splicer_.moved_bytes() > moved_before) progress();
  switch (next) {
    case Splicer::Next::wait_readable:
      return poll(fill_, Op::Kind::poll_readable, plan_.source->fd());
    case Splicer::Next::wait_writable:
      return poll(drain_, Op::Kind::poll_writable, plan_.sink->fd());
    case Splicer::Next::next_turn:
      return core_.defer(deferred_);
    case Splicer::Next::leave:
      return leave_splice();
    case Splicer::Next::ended_badly:
      return fail(Code::truncated, plan_.source_side, 0);
    case Splicer::Next::failed:
      return fail_errno(splicer_.failed_side_is_sink() ? plan_.sink_side : plan_.source_side,
                        splicer_.sys_errno());
  }
}

void Pump::leave_splice() noexcept {
  source_ended_ = splicer_.source_ended();
  chunk_open_ = splicer_.chunk_is_open();
  // Of a body whose framing passed as it was, the end did too.
  if (splicer_.passes_source_framing() && reader_.done()) end_framed_ = true;
  if (!splicer_.moved_anything() || splicer_.stalled()) pipe_refused_ = true;  // it is not one for a pipe
  splicer_.stop();
  if (reader_.fault() != wire::Fault::none) return fail(Code::malformed, plan_.source_side, 0);
  step();
}

}  // namespace breakwater::proxy
