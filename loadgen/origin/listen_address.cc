#include "origin/listen_address.h"

#include <netdb.h>

#include <cstring>

namespace breakwater::storm::origin {

bool read_listen_address(std::string_view text, Address& address, std::string& why) {
  const size_t colon = text.rfind(':');
  std::string host(text.substr(0, colon));
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const bool has_port = colon != std::string_view::npos && colon + 1 < text.size() && !host.empty();
  const std::string port(has_port ? text.substr(colon + 1) : std::string_view());
  if (!has_port || getaddrinfo(host.c_str(), port.c_str(), &hints, &found) != 0) {
    why = "can't listen on " + std::string(text) + ": an address and a port are needed, like 127.0.0.1:8080";
    return false;
  }
  std::memcpy(&address.any, found->ai_addr, found->ai_addrlen);
  address.bytes = found->ai_addrlen;
  freeaddrinfo(found);
  return true;
}

}  // namespace breakwater::storm::origin
