// A reply's body as pieces of memory on their way to the socket: the pack in packets of the sideband, all of
// it in chunks like those of a server that is known, none of it copied.
//
// Packets (gitprotocol-pack(5), "Packfile Data"), chunks (RFC 9112 §7.1). Pure.
#pragma once

#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "origin/options.h"
#include "origin/reply.h"

namespace breakwater::storm::origin {

// What one send gathers. Some 7 KiB; a connection has one only while it answers.
class Batch {
 public:
  static constexpr size_t parts_max = 256;
  static constexpr size_t bytes_max = 256 * 1024;

  void clear() noexcept { count_ = notes_bytes_ = bytes_ = 0; }
  bool has_room() const noexcept {
    return count_ + 4 <= parts_max && notes_bytes_ + 2 * note_bytes_max <= notes_.size() &&
           bytes_ < bytes_max;
  }
  size_t bytes() const noexcept { return bytes_; }
  // Stays in place until the send is done.
  void add(std::string_view memory) noexcept;
  void note(std::string_view few) noexcept;  // copies at most note_bytes_max bytes
  std::span<iovec> parts() noexcept { return std::span(parts_).first(count_); }

  static constexpr size_t note_bytes_max = 24;

 private:
  std::array<iovec, parts_max> parts_;
  std::array<char, 3072> notes_;  // heads of chunks and packets
  size_t count_ = 0, notes_bytes_ = 0, bytes_ = 0;
};

class Payload {
 public:
  // `reply` outlives it.
  explicit Payload(const Reply& reply) noexcept;
  uint64_t bytes() const noexcept { return bytes_; }  // of all
  uint64_t taken() const noexcept { return taken_; }
  // The bit of the pack that is to be wrong.
  void flip(uint64_t dice) noexcept;
  bool has_flipped() const noexcept { return has_flipped_; }
  // Adds at least one and at most `bytes` of the bytes that follow; there must be some. Returns how many.
  size_t take(size_t bytes, Batch& batch) noexcept;

 private:
  size_t take_from(std::string_view whole, size_t bytes, Batch& batch) noexcept;
  size_t take_pack(size_t bytes, Batch& batch) noexcept;
  void begin_packet() noexcept;
  std::string_view pack_piece() const noexcept;
  void pass_pack(size_t bytes) noexcept;

  enum class Part : uint8_t { front, shared, pack, back };
  const Reply& reply_;
  Part part_ = Part::front;
  uint64_t bytes_ = 0, taken_ = 0;
  size_t at_ = 0;  // in the part; in the piece of the pack
  size_t piece_ = 0;
  uint64_t pack_bytes_ = 0, pack_at_ = 0;
  std::array<char, 5> head_;  // of the packet: four digits and the sideband
  size_t head_left_ = 0, packet_left_ = 0;
  bool flips_ = false, has_flipped_ = false;
  uint64_t flip_at_ = 0;
  uint8_t flip_bit_ = 0;
};

// The sizes of the chunks of an answer, one after another.
class ChunkSizes {
 public:
  explicit ChunkSizes(Framing framing) noexcept;
  size_t next() noexcept;

 private:
  std::span<const uint16_t> sizes_;
  size_t at_ = 0;
};

class Framer {
 public:
  // `promised`: how long the chunks say that the body is; at least `sent`, where it stops.
  Framer(Payload& payload, bool chunked, Framing framing, uint64_t promised, uint64_t sent) noexcept;
  // The next bytes, as many as there is room for, but not much more than `bytes_max` of them.
  void fill(Batch& batch, size_t bytes_max) noexcept;
  bool done() const noexcept { return done_; }
  // The next `bytes` of the body and nothing of what follows; the rest of their chunk comes with fill().
  void fill_only(Batch& batch, uint64_t bytes) noexcept;

 private:
  void begin_chunk(Batch& batch) noexcept;

  Payload& payload_;
  bool chunked_;
  ChunkSizes sizes_;
  uint64_t promised_, sent_;
  uint64_t chunk_left_ = 0;
  bool is_first_ = true, done_ = false;
};

}  // namespace breakwater::storm::origin
