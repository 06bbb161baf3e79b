// The few socket and clock calls that both load programs make. A failure of set-up ends the program with a
// sentence.
#pragma once

#include <netinet/in.h>

#include <cstdint>
#include <string>

namespace breakwater::bench {

[[noreturn]] void give_up(const std::string& sentence);

// "127.0.0.1:80".
sockaddr_in parse_address(const std::string& text);
// Non-blocking, and port 0 takes a free one.
int listen_on(const sockaddr_in& address);
uint16_t port_of(int listener);
// Non-blocking, with TCP_NODELAY.
int new_socket();

int new_epoll();
// Level-triggered; `id` comes back in the event.
void watch(int epoll, int fd, uint32_t id, uint32_t events);
void rewatch(int epoll, int fd, uint32_t id, uint32_t events);

uint64_t monotonic_ns();

}  // namespace breakwater::bench
