// One HTTP/1 message going out or coming in, as cheaply as a load program needs it: bodies are sent from
// memory that was laid out once, and what comes in is thrown away by the kernel wherever its length is known
// and no TLS is in between.
// Cheap, but exact: every payload byte is counted, and a body that ends early, late or badly framed is seen.
// Not for strangers: it trusts heads to be well formed.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "channel.h"

namespace breakwater::bench {

enum class Progress : uint8_t {
  more,    // the socket is drained or full; wait for it
  done,    // the message is complete
  ended,   // the peer ended the connection before that
  broken,  // the peer sent what is no HTTP, or an error occurred
};

class Outgoing {
 public:
  // `head`, then `bytes` of payload.
  void start_with_length(std::string head, uint64_t bytes);
  // The same in chunks of `chunk_bytes`, of which the last may be shorter.
  void start_chunked(std::string head, size_t chunk_bytes, uint64_t bytes);

  Progress send(Channel& channel);
  bool busy() const noexcept { return busy_; }
  // Payload that the socket has taken since start(), without heads and framing.
  uint64_t payload_sent() const noexcept;

 private:
  std::string head_;
  std::string tail_;            // the last, shorter chunk, and the end
  const char* body_ = nullptr;  // `period_` bytes, sent over and over
  size_t period_ = 1;
  size_t frame_bytes_ = 1;  // a chunk with its framing
  size_t chunk_bytes_ = 1;
  uint64_t payload_ = 0;  // all that is to be sent
  uint64_t body_length_ = 0;
  uint64_t position_ = 0;  // in head, body and tail laid end to end
  bool busy_ = false;
};

// Follows the framing of a chunked body.
class ChunkWalker {
 public:
  // Takes bytes up to the end of the body; tells how many it took. Fewer than given: finished() or broken().
  size_t feed(std::string_view bytes) noexcept;
  // As feed(), for payload of the current chunk that nobody looked at; at most payload_left().
  void skip(size_t bytes) noexcept;

  uint64_t payload_left() const noexcept { return state_ == State::payload ? left_ : 0; }
  uint64_t chunk_bytes() const noexcept { return chunk_bytes_; }
  uint64_t payload() const noexcept { return payload_; }
  bool finished() const noexcept { return state_ == State::finished; }
  bool broken() const noexcept { return state_ == State::broken; }

 private:
  enum class State : uint8_t {
    size,         // digits of a chunk's size
    extension,    // what may follow them, up to the end of the line
    payload,      // `left_` bytes of it
    payload_end,  // the CRLF behind it
    trailer,      // a line behind the last chunk, of which something was seen
    trailer_end,  // the start of such a line: an empty one is the end
    finished,
    broken,
  };
  void step(char byte) noexcept;

  State state_ = State::size;
  uint64_t left_ = 0;
  uint64_t chunk_bytes_ = 0;  // of the current or the last chunk
  uint64_t payload_ = 0;
  unsigned digits_ = 0;
};

class Incoming {
 public:
  // Where a body ends.
  enum class Framing : uint8_t { none, length, chunked, until_close };

  // Forgets the message before.
  void restart() noexcept;
  Progress read(Channel& channel);

  // Valid once the head is complete; views end with restart().
  bool head_complete() const noexcept { return head_complete_; }
  std::string_view start_line() const noexcept;
  // A field's value; `name` in lower case with its colon, such as "content-length:".
  std::optional<std::string_view> field(std::string_view name) const noexcept;
  Framing framing() const noexcept { return framing_; }

  uint64_t payload() const noexcept { return framing_ == Framing::chunked ? chunks_.payload() : payload_; }

 private:
  Progress read_head(Channel& channel);
  Progress read_body(Channel& channel);
  bool find_framing() noexcept;
  Progress take(std::string_view bytes) noexcept;
  Progress drop(size_t bytes) noexcept;

  std::array<char, 4096> head_;
  size_t head_bytes_ = 0;
  bool head_complete_ = false;
  Framing framing_ = Framing::none;
  uint64_t left_ = 0;  // of a body of a known length
  uint64_t payload_ = 0;
  ChunkWalker chunks_;
};

}  // namespace breakwater::bench
