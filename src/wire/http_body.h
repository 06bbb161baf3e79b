// Walks a message body's framing in place (RFC 9112 §6 and §7) and yields its payload without copying it.
//
// The caller frames the payload anew towards the other side (write_chunk_header and friends), so chunk
// extensions end here, and a chunk size that two parsers could read differently goes nowhere. Pure; no
// allocation.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "wire/http_head.h"

namespace breakwater::wire {

// Payload found in one buffer. Neighbouring small pieces are joined by moving bytes down inside the buffer.
struct Pieces {
  static constexpr size_t pieces_max = 60;  // leaves room for our own framing in an iovec of 64
  struct Piece {                            // without initial values: most bodies have one piece
    char* data;
    size_t bytes;
  };
  std::array<Piece, pieces_max> piece;
  size_t count = 0;
  size_t bytes = 0;  // sum over the pieces
  void clear() noexcept {
    count = 0;
    bytes = 0;
  }
  // Leaves out so many bytes, at most all, at the beginning; or all but so many of them. No piece is left
  // empty.
  void drop_front(size_t dropped) noexcept;
  void keep_front(size_t kept) noexcept;
};

class BodyReader {
 public:
  static constexpr size_t trailer_bytes_max = 1024;
  static constexpr size_t chunk_line_bytes_max = 256;  // size and extensions of one chunk

  void start(const BodyFraming& framing) noexcept;

  // Walks `raw`, the next bytes of the connection, adding payload to `pieces`. Returns how many bytes of
  // `raw` it is done with: all of them unless the body ended (the rest belongs to the next message), `pieces`
  // is full (send, clear and call again with the rest) or fault() is set. May move bytes inside the part it
  // returns.
  size_t walk(std::span<char> raw, Pieces& pieces) noexcept;

  // The connection ended. True if that completes the body (until_close); otherwise fault() becomes
  // truncated_body.
  bool end_of_connection() noexcept;

  bool done() const noexcept { return state_ == State::done; }
  Fault fault() const noexcept { return fault_; }
  // Payload bytes still to come where that is known: BodyKind::length; 0 when done; otherwise UINT64_MAX.
  uint64_t remaining() const noexcept;
  uint64_t payload_bytes() const noexcept { return payload_bytes_; }

  // ---- For a path that moves a body without walking it (splice).
  // Payload bytes that come next and may pass unseen: of the body, or of the chunk that is being read.
  uint64_t opaque() const noexcept;
  void skip(uint64_t bytes) noexcept;  // so many of them, at most opaque(), passed
  // Payload bytes still to come of the chunk that is being read.
  uint64_t left_of_chunk() const noexcept;
  // Looks at `raw`, the next bytes of a chunked body, to let them pass with their framing as it is. Returns
  // how many may: payload, line ends, and chunk lines that are there whole and in the one form that no two
  // parsers read differently (hex digits, no leading zero, no extension), to the end of a body without
  // trailers. What follows is for walk(), or for another look when more has come. fault() as with walk().
  size_t vet(std::string_view raw) noexcept;
  // vet() stopped at a chunk line that is not there whole, and may still turn out to be in that form.
  bool line_is_cut() const noexcept { return line_is_cut_; }
  // Nothing of a chunk line or of the line end behind a chunk was taken by walk() already.
  bool can_vet() const noexcept;
  uint64_t chunk_bytes() const noexcept { return chunk_bytes_; }  // of the chunk that vet() saw last

  // From now on tail() tells how the payload that passed ended, and the last bytes of each chunk are not
  // opaque.
  void watch_tail() noexcept { watches_tail_ = true; }
  // The last payload bytes that passed, up to four; fewer where those before them were skipped.
  std::string_view tail() const noexcept { return {tail_.data(), tail_bytes_}; }

  // After done() of a chunked body: the trailer fields worth forwarding, as "Name: value\r\n" lines, checked
  // as strictly as a head's fields, without the forbidden ones (framing, routing, authentication, hop-by-hop,
  // Content-*, and the identity fields of wire/field_rules.h) (RFC 9110 §6.5.1).
  std::string_view trailers() const noexcept;

 private:
  enum class State : uint8_t {
    counted,  // inside a body of known length
    until_close,
    chunk_size,
    chunk_extension,
    chunk_size_lf,
    chunk_data,
    chunk_data_cr,
    chunk_data_lf,
    trailer_line,
    done,
  };
  bool take_trailer_byte(char byte) noexcept;
  size_t vet_chunk_line(std::string_view raw) noexcept;
  void pass(uint64_t bytes) noexcept;
  void note_tail(std::string_view payload) noexcept;

  State state_ = State::done;
  Fault fault_ = Fault::none;
  bool line_is_cut_ = false;
  uint64_t remaining_ = 0;  // of the body (counted) or of the chunk
  uint64_t chunk_bytes_ = 0;
  uint64_t payload_bytes_ = 0;
  uint32_t line_bytes_ = 0;
  uint32_t trailer_bytes_ = 0;
  static constexpr size_t tail_bytes_max = 4;
  bool watches_tail_ = false;
  size_t tail_bytes_ = 0;
  std::array<char, tail_bytes_max> tail_;
  std::array<char, trailer_bytes_max> trailer_;
};

// How many bytes of `raw`, the next bytes between two chunks, are the line of a chunk of at least 4 KiB in
// the form that vet() lets pass, with the line end before it; 0 if something else comes. A guess: walk()
// judges.
size_t large_chunk_line(std::string_view raw) noexcept;

// The last chunk as vet() lets it pass, without trailers: "0\r\n\r\n".
inline constexpr size_t last_chunk_bytes = 5;

// "<hex>\r\n" for a chunk of `bytes` > 0. Returns the bytes written, at most 18.
inline constexpr size_t chunk_header_bytes_max = 18;
size_t write_chunk_header(uint64_t bytes, std::span<char, chunk_header_bytes_max> out) noexcept;

}  // namespace breakwater::wire
