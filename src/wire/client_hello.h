// The first message of a TLS client, read before any TLS library sees it: whether it is TLS at all, which
// name and versions are asked for, and what kinds of certificate the client can check. So a certificate is
// chosen, and what can never become a connection is refused with its reason, before anything is allocated for
// it.
//
// Pure; no allocation. Nothing is consumed: the library reads the same bytes after us.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace breakwater::wire {

enum class HelloFault : uint8_t {
  none,
  plain_http,  // it begins like an HTTP request
  not_tls,     // it begins like nothing we know
  malformed,
  too_large,  // in bytes, or cut into too many records
};

// For logs: what was wrong, as half a sentence.
std::string_view explain(HelloFault fault) noexcept;

struct ClientHello {
  static constexpr size_t message_bytes_max = 16 * 1024;
  static constexpr size_t records_max = 32;
  // Of all that has to be kept until a hello is whole.
  static constexpr size_t bytes_max = message_bytes_max + records_max * 5;

  // The name asked for (SNI), in lower case and without a dot at its end; empty if none was.
  std::string_view name() const noexcept { return {name_text.data(), name_bytes}; }

  bool offers_tls12 = false;
  bool offers_tls13 = false;
  uint16_t newest_version = 0;  // as on the wire: 0x0303 is TLS 1.2
  // It can check signatures of such keys, and offers what goes with them.
  bool takes_p256 = false;
  bool takes_p384 = false;
  bool takes_rsa = false;
  // It names the protocols that it wants to speak inside, and whether HTTP/1.1 is one of them.
  bool names_protocols = false;
  bool names_http11 = false;

  std::array<char, 253> name_text{};
  uint8_t name_bytes = 0;
};

enum class HelloState : uint8_t { partial, whole, broken };

// `received` is everything from the connection's first byte. With `whole`, `hello` is filled; with `broken`,
// `fault` says why.
HelloState read_client_hello(std::string_view received, ClientHello& hello, HelloFault& fault) noexcept;

}  // namespace breakwater::wire
