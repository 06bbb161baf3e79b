// What the messages of the load programs go through: a socket as it is, or one with TLS over it (tls.h).
// Calls never wait; their results are those of a socket that doesn't.
#pragma once

#include <sys/types.h>
#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <span>

namespace breakwater::bench {

class Channel {
 public:
  // What TLS knows about a connection that broke.
  enum class Trouble : uint8_t {
    none,       // nothing
    handshake,  // it failed
    truncated,  // the connection ended without a close_notify
  };

  Channel() = default;
  virtual ~Channel() = default;
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  // How many bytes, 0 for the peer's end, or -1 with errno. Fewer than asked for: wait for epoll, unless
  // holds_data().
  virtual ssize_t send(std::span<const iovec> parts) noexcept = 0;
  virtual ssize_t receive(char* buffer, size_t bytes) noexcept = 0;
  // As receive(), for bytes that nobody wants to see.
  virtual ssize_t drop(size_t bytes) noexcept = 0;

  // Receiving has more to tell, whatever epoll says.
  virtual bool holds_data() const noexcept = 0;
  // What epoll has to wait for besides what comes in, if the message that goes out is `busy` or not.
  virtual bool waits_to_send(bool busy) const noexcept = 0;
  // epoll tells of something that came while a message goes out: is it for us to read, or the end?
  virtual bool speaks() noexcept = 0;
  // epoll tells of something where only the end may come: is it that?
  virtual bool at_end() noexcept = 0;
  virtual Trouble trouble() const noexcept = 0;
};

// The socket is its owner's.
class PlainChannel final : public Channel {
 public:
  explicit PlainChannel(int fd) noexcept : fd_(fd) {}

  ssize_t send(std::span<const iovec> parts) noexcept override;
  ssize_t receive(char* buffer, size_t bytes) noexcept override;
  ssize_t drop(size_t bytes) noexcept override;
  bool holds_data() const noexcept override { return false; }
  bool waits_to_send(bool busy) const noexcept override { return busy; }
  bool speaks() noexcept override { return true; }
  bool at_end() noexcept override { return true; }
  Trouble trouble() const noexcept override { return Trouble::none; }

 private:
  int fd_;
};

}  // namespace breakwater::bench
