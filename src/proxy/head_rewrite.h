// What becomes of a head on its way through: fields that are ours to own are dropped, replaced or added;
// everything else keeps its bytes, its order and its case. Pure: values in, bytes out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "wire/http_head.h"

namespace breakwater::proxy {

// The sticky cookie of the pool (docs/backends.md).
struct StickyCookie {
  std::string_view name;   // empty: there is none
  std::string_view value;  // what the client is given; empty: it has it
  bool secure = false;
  uint64_t max_age_s = 0;  // 0: until the browser is closed
};

struct UpstreamFacts {
  std::string_view client_address;  // without port
  std::string_view scheme;          // that the client used: "http"
  std::string_view request_id;
  std::string_view server_authority;  // the Host for an HTTP/1.0 request that named none
  bool peer_is_trusted = false;       // its X-Forwarded-* and X-Request-Id are believed
  bool until_close = false;           // ask by HTTP/1.0 for an answer that ends with the connection
  std::string_view own_cookie;        // its name: no server hears of it; empty: there is none
  std::string_view
      client_certificate;  // whose the client showed (client_certificate.h); empty: nobody is told
};

struct DownstreamFacts {
  wire::BodyFraming framing;  // that we will use towards the client
  bool client_is_1_0 = false;
  bool keep_alive = true;
  bool upgrade = false;  // a 101: Connection and Upgrade pass
  wire::Method request_method = wire::Method::get;
  // Of Gogs and Gitea to dumb HTTP: they let everybody cache private repositories for a year, and their dates
  // are numbers. Nobody else may cache it, and what is no date (RFC 9110 §5.6.7) is left out.
  bool repairs_dumb_http = false;
  // A server's cookie of the same name does not pass. An answer that sets ours is nobody else's: no shared
  // cache may keep it.
  StickyCookie cookie;
};

// Both return the bytes written, or 0 if `out` is too small.
size_t write_upstream_head(const wire::RequestHead& request, const UpstreamFacts& facts,
                           std::span<char> out) noexcept;
size_t write_downstream_head(const wire::ResponseHead& response, const DownstreamFacts& facts,
                             std::span<char> out) noexcept;

}  // namespace breakwater::proxy
