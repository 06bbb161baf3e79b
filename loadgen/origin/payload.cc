#include "origin/payload.h"

#include <algorithm>
#include <cstring>

#include "base/assert.h"
#include "wire/http_body.h"

namespace breakwater::storm::origin {

namespace {

constexpr size_t packet_head_bytes = 5;  // four digits and the sideband

// As they were measured of one upload-pack answer each, in about the proportions: Apache 2.4 with cgid, nginx
// 1.22 with fcgiwrap, buffered. Go's net/http passes on what io.Copy reads.
constexpr uint16_t apache_sizes[] = {8000, 8000, 8000, 8000, 8000, 8000, 197, 8000, 8000, 5, 192};
constexpr uint16_t nginx_sizes[] = {8184, 8184, 8184, 8184, 8184, 4096, 8184, 8184, 8184, 8184, 4088};
constexpr uint16_t go_sizes[] = {32768};

std::span<const uint16_t> sizes_of(Framing framing) noexcept {
  switch (framing) {
    case Framing::apache:
      return apache_sizes;
    case Framing::nginx:
      return nginx_sizes;
    case Framing::go:
      break;
  }
  return go_sizes;
}

}  // namespace

void Batch::add(std::string_view memory) noexcept {
  if (memory.empty()) return;
  BW_ASSERT(count_ < parts_max);
  parts_[count_++] = {const_cast<char*>(memory.data()), memory.size()};
  bytes_ += memory.size();
}

void Batch::note(std::string_view few) noexcept {
  BW_ASSERT(few.size() <= notes_.size() - notes_bytes_);
  char* const place = notes_.data() + notes_bytes_;
  std::memcpy(place, few.data(), few.size());
  notes_bytes_ += few.size();
  add({place, few.size()});
}

Payload::Payload(const Reply& reply) noexcept : reply_(reply) {
  bytes_ = reply.front.size() + reply.back.size();
  if (reply.shared != nullptr) bytes_ += reply.shared->size();
  if (!reply.has_pack()) return;
  pack_bytes_ = std::min(reply.plan->pack.bytes, reply.pack_bytes_max);
  bytes_ += pack_bytes_;
  if (reply.packet_bytes == 0) return;
  const uint64_t of_packet = reply.packet_bytes - packet_head_bytes;
  bytes_ += (pack_bytes_ + of_packet - 1) / of_packet * packet_head_bytes;
}

void Payload::flip(uint64_t dice) noexcept {
  flips_ = pack_bytes_ > 0;
  flip_bit_ = static_cast<uint8_t>(1u << (dice & 7));
  if (flips_) flip_at_ = (dice >> 3) % pack_bytes_;
}

size_t Payload::take(size_t bytes, Batch& batch) noexcept {
  BW_ASSERT(bytes > 0 && taken_ < bytes_);
  size_t took = 0;
  while (took == 0) {
    switch (part_) {
      case Part::front:
        took = take_from(reply_.front, bytes, batch);
        break;
      case Part::shared:
        if (reply_.shared != nullptr) took = take_from(*reply_.shared, bytes, batch);
        break;
      case Part::pack:
        if (pack_at_ < pack_bytes_) took = take_pack(bytes, batch);
        break;
      case Part::back:
        took = take_from(reply_.back, bytes, batch);
        BW_ASSERT(took > 0);
        break;
    }
    if (took > 0) break;
    part_ = static_cast<Part>(static_cast<int>(part_) + 1);
    at_ = 0;
  }
  taken_ += took;
  return took;
}

size_t Payload::take_from(std::string_view whole, size_t bytes, Batch& batch) noexcept {
  const std::string_view piece = whole.substr(at_, bytes);
  batch.add(piece);
  at_ += piece.size();
  return piece.size();
}

// A packet's head may be cut by the end of a chunk, as anything may.
size_t Payload::take_pack(size_t bytes, Batch& batch) noexcept {
  if (packet_left_ == 0 && reply_.packet_bytes > 0) begin_packet();
  if (head_left_ > 0) {
    const size_t took = std::min(bytes, head_left_);
    batch.note(std::string_view(head_.data() + head_.size() - head_left_, took));
    head_left_ -= took;
    return took;
  }
  std::string_view piece = pack_piece().substr(0, bytes);
  if (reply_.packet_bytes > 0) piece = piece.substr(0, packet_left_);
  if (flips_ && flip_at_ >= pack_at_ && flip_at_ < pack_at_ + piece.size()) {
    // What stands before the wrong byte goes first, then that byte alone.
    piece = piece.substr(0, std::max<uint64_t>(flip_at_ - pack_at_, 1));
    has_flipped_ = flip_at_ == pack_at_;
  }
  if (has_flipped_ && flip_at_ == pack_at_) {
    const char wrong = static_cast<char>(piece[0] ^ flip_bit_);
    batch.note({&wrong, 1});
  } else {
    batch.add(piece);
  }
  pass_pack(piece.size());
  return piece.size();
}

void Payload::begin_packet() noexcept {
  packet_left_ = std::min<uint64_t>(reply_.packet_bytes - packet_head_bytes, pack_bytes_ - pack_at_);
  const size_t length = packet_left_ + packet_head_bytes;
  for (size_t index = 0; index < 4; index++)
    head_[index] = "0123456789abcdef"[(length >> (4 * (3 - index))) & 15];
  head_[4] = 1;  // the sideband
  head_left_ = head_.size();
}

// What is left of the header, of the piece that is being sent, or of the hash.
std::string_view Payload::pack_piece() const noexcept {
  const PackPlan& pack = reply_.plan->pack;
  const bool is_header = piece_ == 0;
  const std::string_view whole = is_header                      ? std::string_view(pack.header)
                                 : piece_ <= pack.pieces.size() ? pack.pieces[piece_ - 1]
                                                                : std::string_view(pack.hash);
  return whole.substr(at_).substr(0, pack_bytes_ - pack_at_);
}

void Payload::pass_pack(size_t bytes) noexcept {
  const PackPlan& pack = reply_.plan->pack;
  at_ += bytes;
  pack_at_ += bytes;
  if (reply_.packet_bytes > 0) packet_left_ -= bytes;
  const size_t of_piece = piece_ == 0                    ? pack.header.size()
                          : piece_ <= pack.pieces.size() ? pack.pieces[piece_ - 1].size()
                                                         : pack.hash.size();
  if (at_ < of_piece) return;
  at_ = 0;
  piece_++;
}

ChunkSizes::ChunkSizes(Framing framing) noexcept : sizes_(sizes_of(framing)) {}

size_t ChunkSizes::next() noexcept {
  const size_t size = sizes_[at_];
  at_ = (at_ + 1) % sizes_.size();
  return size;
}

Framer::Framer(Payload& payload, bool chunked, Framing framing, uint64_t promised, uint64_t sent) noexcept
    : payload_(payload), chunked_(chunked), sizes_(framing), promised_(promised), sent_(sent) {
  BW_ASSERT(sent <= promised && promised <= payload.bytes());
}

void Framer::fill(Batch& batch, size_t bytes_max) noexcept {
  while (!done_ && batch.has_room() && batch.bytes() < bytes_max) {
    if (chunk_left_ == 0) begin_chunk(batch);
    const uint64_t left = sent_ - payload_.taken();
    if (left > 0) chunk_left_ -= payload_.take(std::min({chunk_left_, left, uint64_t{bytes_max}}), batch);
    if (payload_.taken() < sent_) continue;
    // Behind the last byte that was promised stands the last chunk; where it stops early nothing does.
    if (chunked_ && sent_ == promised_) batch.note(promised_ > 0 ? "\r\n0\r\n\r\n" : "0\r\n\r\n");
    done_ = true;
  }
}

void Framer::fill_only(Batch& batch, uint64_t bytes) noexcept {
  const uint64_t end = std::min(payload_.taken() + bytes, sent_);
  while (payload_.taken() < end && batch.has_room()) {
    if (chunk_left_ == 0) begin_chunk(batch);
    chunk_left_ -= payload_.take(std::min(chunk_left_, end - payload_.taken()), batch);
  }
}

void Framer::begin_chunk(Batch& batch) noexcept {
  const uint64_t left = promised_ - payload_.taken();
  if (!chunked_ || left == 0) {
    chunk_left_ = left;
    return;
  }
  chunk_left_ = std::min<uint64_t>(sizes_.next(), left);
  if (!is_first_) batch.note("\r\n");
  is_first_ = false;
  std::array<char, wire::chunk_header_bytes_max> header;
  batch.note({header.data(), wire::write_chunk_header(chunk_left_, header)});
}

}  // namespace breakwater::storm::origin
