#include "channel.h"

#include <sys/socket.h>

namespace breakwater::bench {

ssize_t PlainChannel::send(std::span<const iovec> parts) noexcept {
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(parts.data());
  message.msg_iovlen = parts.size();
  return sendmsg(fd_, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

ssize_t PlainChannel::receive(char* buffer, size_t bytes) noexcept {
  return recv(fd_, buffer, bytes, MSG_DONTWAIT);
}

ssize_t PlainChannel::drop(size_t bytes) noexcept {
  return recv(fd_, nullptr, bytes, MSG_DONTWAIT | MSG_TRUNC);
}

}  // namespace breakwater::bench
