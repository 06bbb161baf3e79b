#include "proxy/splicer.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

#include "proxy/limits.h"
#include "ring/sys.h"
#include "wire/pkt_line.h"

namespace breakwater::proxy {

namespace {

constexpr uint32_t rounds_per_turn = 8;  // then other connections get their turn
constexpr std::string_view line_end = "\r\n";
// Units (chunks, pkt-lines) of at least this size are spliced whole after a look at their line alone. Below
// it a look at everything is cheaper than two system calls for each unit.
constexpr uint64_t large_unit_bytes = 12 * 1024;
constexpr size_t line_look_bytes = 64;

}  // namespace

Splicer::Splicer(Core& core) noexcept : core_(core), lull_(on_lull, this) {}

void Splicer::start(Pipe pipe, const Route& route, wire::BodyReader& reader,
                    wire::UploadPackEnd* end) noexcept {
  BW_ASSERT(!running() && pipe);
  route_ = route;
  reader_ = &reader;
  end_ = end;
  pipe_ = std::move(pipe);
  vetted_bytes_ = 0;
  source_ended_ = source_drained_ = stuck_ = sink_failed_ = ended_badly_ = false;
  chunk_open_ = route.chunk_is_open;
  moved_bytes_ = 0;
  cut_bytes_ = 0;
  dry_runs_ = 0;
  frame_bytes_ = frame_sent_ = 0;
  flow_.start(core_.now_ns(), route.framing == Framing::none || route.framing == Framing::own_chunks);
  // In the middle of a chunk: its rest becomes a chunk of ours, and the source's line end behind it ends
  // both.
  if (route.framing == Framing::vetted && reader.left_of_chunk() > 0) {
    frame_bytes_ = wire::write_chunk_header(
        reader.left_of_chunk(),
        std::span<char, wire::chunk_header_bytes_max>(frame_.data(), wire::chunk_header_bytes_max));
  }
}

void Splicer::stop() noexcept {
  lull_.disarm();
  set_low_water(1);
  pipe_.release();
  reader_ = nullptr;
  end_ = nullptr;
}

// Fills the pipe and empties it, in turns; it never holds bytes of two fills.
Splicer::Next Splicer::run() noexcept {
  lull_.disarm();
  source_drained_ = false;
  const uint64_t moved_before = moved_bytes_;
  for (uint32_t round = 0; round < rounds_per_turn; round++) {
    if (pipe_.held_bytes() == 0) {
      if (source_drained_) {
        dry_runs_ = moved_bytes_ > moved_before ? 0 : dry_runs_ + 1;
        return stalled() ? give_up_on_splice() : wait_for_source();
      }
      if (fill() == Came::failed) return Next::failed;
      if (pipe_.held_bytes() == 0) {
        if (ended_badly_ && vetted_bytes_ == 0) return Next::ended_badly;
        if (source_ended_ || nothing_may_pass()) return Next::leave;
        continue;  // drained
      }
      if (route_.framing == Framing::own_chunks || route_.framing == Framing::reframed) frame_own_chunk();
    }
    const Next next = drain();
    if (next != Next::next_turn) return next;
  }
  return Next::next_turn;
}

// Takes what there is and may pass, until the pipe is full.
Splicer::Came Splicer::fill() noexcept {
  source_drained_ = false;
  while (pipe_.held_bytes() < pipe_.capacity() && !nothing_may_pass()) {
    if (vetted_bytes_ == 0 && opaque() == 0) {
      const Came looked = route_.framing == Framing::reframed ? take_line() : look();
      if (looked != Came::bytes) return looked;
      continue;
    }
    const uint64_t room = pipe_.capacity() - pipe_.held_bytes();
    const uint64_t clear = opaque() > room ? room : vetted_bytes_ + opaque();
    const size_t wanted = static_cast<size_t>(std::min(clear, room));
    core_.stats().splice_calls.add();
    const int64_t moved = sys::splice_now(route_.source, pipe_.write_end(), wanted, false);
    const Came came = judge(moved);  // EAGAIN: nothing to read, or no place for another piece
    if (came != Came::bytes) return came;
    account(static_cast<size_t>(moved));
    if (static_cast<size_t>(moved) < wanted) {
      source_drained_ = true;
      break;
    }
  }
  return Came::bytes;
}

Splicer::Came Splicer::judge(int64_t status) noexcept {
  if (status > 0) return Came::bytes;
  if (status == -EAGAIN) {
    source_drained_ = true;
  } else if (status == 0) {
    source_ended_ = true;
  } else {
    fail(false, status);
    return Came::failed;
  }
  return Came::nothing;
}

// Looks at the framing that comes next.
Splicer::Came Splicer::look() noexcept {
  const uint64_t unit_bytes = end_ != nullptr ? end_->line_bytes() : reader_->chunk_bytes();
  const std::span<char> room = core_.look_room();
  const size_t wanted = unit_bytes >= large_unit_bytes ? line_look_bytes : room.size();
  const int64_t seen = sys::peek(route_.source, room.data(), wanted);
  const Came came = judge(seen);
  if (came != Came::bytes) return came;
  core_.stats().bytes_looked_at.add(static_cast<uint64_t>(seen));
  const std::string_view raw(room.data(), static_cast<size_t>(seen));
  if (end_ != nullptr) {
    end_->look(raw);
    vetted_bytes_ = raw.size();
  } else {
    vetted_bytes_ = reader_->vet(raw);
    ended_badly_ = reader_->done() && route_.ends_in_flush && reader_->tail() != wire::flush_pkt;
    // Git's last words may pass, but the sink does not hear of the end.
    if (ended_badly_) vetted_bytes_ -= wire::last_chunk_bytes;
    // A line that is cut may be whole soon; if there is no more of it than last time, it won't.
    const bool cut = vetted_bytes_ == 0 && reader_->line_is_cut() && raw.size() != cut_bytes_;
    cut_bytes_ = cut ? raw.size() : 0;
    source_drained_ = cut;
    stuck_ = (vetted_bytes_ == 0 && !cut) || reader_->fault() != wire::Fault::none;
    if (cut) return Came::nothing;
  }
  return Came::bytes;
}

// The line of a large chunk and the line end before it, if that is what comes next. Only what was received is
// believed.
Splicer::Came Splicer::take_line() noexcept {
  const std::span<char> room = core_.look_room();
  const int64_t seen = sys::peek(route_.source, room.data(), line_look_bytes);
  Came came = judge(seen);
  if (came != Came::bytes) return came;
  const size_t line = wire::large_chunk_line({room.data(), static_cast<size_t>(seen)});
  stuck_ = line == 0;
  if (stuck_) return came;
  const int64_t received = sys::receive_now(route_.source, room.data(), line);
  came = judge(received);
  if (came != Came::bytes) return came;
  wire::Pieces pieces;
  const size_t used = reader_->walk(room.first(static_cast<size_t>(received)), pieces);
  if (used != static_cast<size_t>(received) || pieces.count > 0) {  // it changed while we looked
    fail(false, -EPROTO);
    return Came::failed;
  }
  stuck_ = reader_->opaque() == 0;
  return came;
}

uint64_t Splicer::opaque() const noexcept {
  return end_ != nullptr ? end_->opaque() : reader_->opaque();
}

// What was looked at goes first; the rest passed unseen.
void Splicer::account(size_t moved) noexcept {
  const size_t unseen = moved - std::min(moved, vetted_bytes_);
  vetted_bytes_ -= moved - unseen;
  if (end_ != nullptr) {
    end_->skip(unseen);
    reader_->skip(moved);
  } else {
    reader_->skip(unseen);  // vet() counted the others
  }
  pipe_.filled(moved);
  flow_.moved(moved);
  moved_bytes_ += moved;
}

void Splicer::frame_own_chunk() noexcept {
  frame_sent_ = 0;
  frame_bytes_ = 0;
  if (chunk_open_) {
    std::memcpy(frame_.data(), line_end.data(), line_end.size());
    frame_bytes_ = line_end.size();
  }
  frame_bytes_ += wire::write_chunk_header(
      pipe_.held_bytes(), std::span<char, wire::chunk_header_bytes_max>(frame_.data() + frame_bytes_,
                                                                        wire::chunk_header_bytes_max));
  chunk_open_ = true;
}

// Sends the frame and then what is in the pipe. next_turn: all of it is with the sink.
Splicer::Next Splicer::drain() noexcept {
  while (frame_sent_ < frame_bytes_) {
    const int64_t sent =
        sys::send_now(route_.sink, frame_.data() + frame_sent_, frame_bytes_ - frame_sent_, true);
    if (sent == -EAGAIN) return Next::wait_writable;
    if (sent < 0) return fail(true, sent);
    frame_sent_ += static_cast<size_t>(sent);
  }
  core_.stats().splice_calls.add();
  const int64_t moved = sys::splice_now(pipe_.read_end(), route_.sink, pipe_.held_bytes(), false);
  if (moved == -EAGAIN) return Next::wait_writable;
  if (moved <= 0) return fail(true, moved == 0 ? -EPIPE : moved);
  pipe_.drained(static_cast<size_t>(moved));
  moved_bytes_ += static_cast<uint64_t>(moved);
  return pipe_.held_bytes() > 0 ? Next::wait_writable : Next::next_turn;
}

// The rest has to be copied; in the middle of a chunk whose line the sink has, it can't be.
Splicer::Next Splicer::give_up_on_splice() noexcept {
  if (vetted_bytes_ > 0 || (route_.framing == Framing::vetted && reader_->left_of_chunk() > 0))
    return fail(false, -EPROTO);
  return Next::leave;
}

Splicer::Next Splicer::wait_for_source() noexcept {
  if (cut_bytes_ > 0) {  // its rest, and no lull: there is nothing that anybody could be given before
    set_low_water(cut_bytes_ + 1);
    return Next::wait_readable;
  }
  const size_t wanted = flow_.low_water(core_.now_ns());
  set_low_water(static_cast<size_t>(std::min<uint64_t>(wanted, std::max<uint64_t>(reader_->remaining(), 1))));
  if (low_water_ > 1) core_.timers().arm(lull_, core_.now_ns() + 2 * flow_.wait_ns());
  return Next::wait_readable;
}

Splicer::Next Splicer::fail(bool sink, int64_t status) noexcept {
  sink_failed_ = sink;
  sys_errno_ = static_cast<int>(-status);
  return Next::failed;
}

void Splicer::set_low_water(size_t bytes) noexcept {
  if (bytes == low_water_) return;
  low_water_ = bytes;
  sys::set_low_water(route_.source, bytes);
}

// Less came than was expected: whoever waits for it shall have it now.
void Splicer::on_lull(void* context) {
  Splicer& self = *static_cast<Splicer*>(context);
  self.flow_.lull();
  self.set_low_water(1);
}

}  // namespace breakwater::proxy
