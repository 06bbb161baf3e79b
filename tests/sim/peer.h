// Peer: the socket of a simulated client or server, with what they need to speak HTTP: strict reading,
// framing, and waits that end at a deadline. Coroutines of src/coro; one thread.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "coro/task.h"
#include "sim/kernel.h"

namespace breakwater::sim {

enum class Got : uint8_t { bytes, end, reset, late };

class Peer {
 public:
  Peer(Kernel& kernel, End* end) noexcept : kernel_(kernel), end_(end) {}
  ~Peer() { close(); }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  std::string inbox;  // received, not used yet

  // Waits for more bytes.
  Task<Got> fill(int64_t deadline_ns);
  // Everything, in pieces of at most `piece` (0: as they fit). False: the connection broke, or nothing could
  // be sent until `deadline_ns`.
  Task<bool> send(std::string_view bytes, size_t piece, int64_t deadline_ns);
  // If there is one.
  void take_a_byte() {
    char byte;
    kernel_.receive(*end_, &byte, 1);
  }
  bool readable() const noexcept { return end_->in.arrived > 0; }
  void end_of_sending() { kernel_.shutdown_write(*end_); }
  void close() { kernel_.close(*end_); }
  void reset() {
    end_->reset_on_close = true;
    close();
  }
  uint64_t connection() const noexcept { return end_->connection; }
  Kernel& kernel() noexcept { return kernel_; }
  End& end() noexcept { return *end_; }

 private:
  Kernel& kernel_;
  End* end_;
};

// co_await a named Sleep.
struct Sleep {
  Kernel& kernel;
  int64_t ns;
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> who) const {
    kernel.at(kernel.now_ns() + ns, [who] { who.resume(); });
  }
  void await_resume() const noexcept {}
};

struct Head {
  std::string raw, start_line;
  std::vector<std::pair<std::string, std::string>> fields;  // names in lower case
  const std::string* find(std::string_view name) const noexcept;
};
// Takes a head off the inbox. `bytes` stands for a whole head.
Task<Got> read_head(Peer& peer, Head& head, int64_t deadline_ns);

enum class Framing : uint8_t { none, length, chunked, until_close };
enum class BodyEnd : uint8_t { whole, cut, late, malformed };
// Appends the payload to `body`. Each wait ends `patience_ns` after the last byte. `pause_ns`: waits that
// long between reads, as a slow client does.
Task<BodyEnd> read_body(Peer& peer, Framing framing, uint64_t length, std::string& body, int64_t patience_ns,
                        int64_t pause_ns);
// The framing that a head announces. False: it is ambiguous.
bool framing_of(const Head& head, Framing& framing, uint64_t& length);

// `body` in chunks of at most `chunk` bytes, with the spelling of Apache, nginx or Go.
std::string in_chunks(std::string_view body, size_t chunk, bool upper_case, bool extension, bool trailer);

}  // namespace breakwater::sim
