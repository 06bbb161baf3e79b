// The whole configuration as one immutable value. Made once by parse.h or from the command line, then only
// read, from every core. Every member has its default here, and nowhere else.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "config/units.h"

namespace breakwater::config {

// Of a Duration, 0 means: no such limit, where a member's comment allows it.
constexpr int64_t ns(Duration duration) {
  return duration.count() * 1'000'000;
}

// "host:port" as written; host may be a name, an IPv4 address or [v6]. A server, and the admin listener, may
// be a unix socket instead: then only `path` is set. A server may be a name whose SRV records say hosts and
// ports: then only `host` and `service`.
struct Endpoint {
  std::string host;
  uint16_t port = 0;
  std::string path;  // "/run/gogs.sock"
  bool service = false;
  std::string text()
      const;  // "host:port", v6 in brackets; "unix:/run/gogs.sock"; "srv:_git._tcp.example.com"
  bool operator==(const Endpoint&) const = default;
};

// How a listener speaks TLS (docs/tls.md). Files are read when the program starts and whenever they change.
struct ListenTls {
  enum class Minimum : uint8_t { tls12, tls13 };
  enum class Client : uint8_t { off, optional, required };
  std::string certificates;  // a folder of them; empty: this listener speaks no TLS
  Minimum minimum = Minimum::tls12;
  std::string ticket_keys;      // a file; empty: keys of our own, that change by themselves
  Client client = Client::off;  // whether clients show certificates
  std::string client_ca;        // a file: by whom they must be signed
  std::string client_crl;       // a file: which of them are revoked; empty: nobody asks
  bool tells_servers = false;   // whose certificate a client showed
  bool kernel = true;           // does the records, if it can
  bool speaks() const { return !certificates.empty(); }
};

// "10.0.0.0/8", "fd00::/8". No bit is set past its length.
struct Network {
  std::array<uint8_t, 16> prefix{};  // an IPv4 one as an IPv4-mapped IPv6 one (RFC 4291 §2.5.5.2)
  unsigned bits = 0;                 // of the 128
  std::string text() const;          // the normal form
  bool operator==(const Network&) const = default;
};

struct Listen {
  std::string name;
  Endpoint bind;
  std::string pool;
  ListenTls tls;
  // Nothing is served here: what is safe to be sent there is, the rest refused. "https": the same host;
  // "https://git.example.com:8443". Empty: requests are served.
  std::string redirect;
  std::vector<Network> trusted;  // whose X-Forwarded-* we believe; none by default
};

// How servers are asked to frame the packs they send (docs/decisions/0006).
enum class UploadPackFraming : uint8_t {
  chunked,      // as HTTP/1.1 has it
  until_close,  // wherever the end can be proven by Git's own framing: HTTP/1.0, ends with the connection
  automatic,    // the same where a pack is sure to come, from kinds of servers for which it was tried
};

// What runs behind a pool: sets what differs between servers of that kind (kind.h). Each can be overridden;
// `breakwater check` prints what the word means.
enum class Kind : uint8_t { gogs, gitea, gitlab, http_backend, other };

// Which server gets a new operation (backends/balancer.h).
enum class Balance : uint8_t { round_robin, least_connections, fastest, repository };

struct Server {
  Endpoint address;
  uint32_t weight = 100;  // its share next to the others'; 0: gets nothing new
  bool backup = false;    // only used while no other server is
  bool primary = false;   // pushes go to these alone, if a pool has any, and reads to the others first
  uint32_t slots = 8;     // of a name: how many addresses it may have at once
  uint32_t max = 0;       // operations that may run on it at a time, over all cores; 0: no such limit
  bool operator==(const Server&) const = default;
};

// Those of [timeouts] that a pool may have of its own; the parser fills them in from there.
struct PoolTimeouts {
  Duration connect{5'000};       // a server accepts the connection; then the next server, else 504
  Duration advertise{60'000};    // a server begins its answer to info/refs; then the next server, else 504
  Duration response{600'000};    // the same for all other requests, counted from the last byte sent; else 504
  Duration server_idle{30'000};  // an unused pooled server connection is kept
};

// How a server is asked whether it lives.
struct Probe {
  enum class Type : uint8_t {
    off,
    tcp,   // it accepts a connection
    http,  // it answers GET `path` with `status`
    git,   // it advertises the refs of the repository at `path`
  };
  Type type = Type::off;
  std::string path;             // of http: "/healthcheck"; of git: "/canary.git"
  uint16_t status = 200;        // of http
  Duration interval{2'000};     // between two probes, give or take a tenth
  Duration fast_interval{500};  // the same while a server is changing between up and down
  Duration timeout{1'000};      // of a probe
  uint32_t rise = 2;            // probes in a row that must succeed before a server is up again
  uint32_t fall = 2;            // probes in a row that must fail before it is down
};

// A program beside each server that says how it fares (wire/agent_check.h).
struct Agent {
  uint32_t port = 0;         // on the server's host; 0: there is none
  Duration interval{5'000};  // between two questions, give or take a tenth; an answer may take as long
};

// When a server is judged by what it does to requests (backends/health.h).
struct Health {
  uint32_t errors = 5;         // failures in a row that eject a server; 0: never for that
  uint32_t slow_ratio = 3;     // times its peers' time to first byte make a server slow; 0: never for that
  Duration slow_min{20};       // and at least that much longer
  Duration eject_time{5'000};  // for the first time; it doubles
  Duration eject_time_max{300'000};
  Duration slow_start{10'000};  // from its return until it has its whole weight
  uint32_t ejected_max = 50;    // percent of a pool's servers that may be ejected at once
  uint32_t panic = 50;          // percent of a pool in rotation below which no judgement counts
};

// How many operations a pool takes at the same time, over all cores; 0: no such limit (backends/admission.h).
struct Admission {
  uint32_t operations = 0;    // in all
  uint32_t adaptive_min = 0;  // that adapts itself to the servers, down to this; 0: it does not
  uint32_t fetches = 0;       // clones and fetches
  uint32_t pushes = 0;
  uint32_t lfs = 0;
  uint32_t web = 0;
  uint32_t advertisements = 0;  // info/refs that are being answered
  uint32_t clones = 0;          // packs for clients that have nothing
  uint32_t per_repository = 0;
  uint32_t per_client = 0;         // its network: /24, or /56 of IPv6
  uint32_t queue = 1'000;          // may wait, on each core; 0: none does
  Duration queue_timeout{60'000};  // so long; then 429 or 503
  bool has_any() const {
    return (operations | fetches | pushes | lfs | web | advertisements | clones | per_repository |
            per_client) != 0;
  }
};

// The cookie by which web pages come from one server (docs/backends.md).
struct Sticky {
  std::string cookie;    // its name; empty: none
  std::string key_file;  // holds what its values are made with; empty: a key of its own for each start
  bool secure = false;   // only to be sent over TLS, whatever the client came by
  Duration max_age{0};   // 0: until the browser is closed
};

// How a pool's servers are spoken to over TLS (docs/tls.md).
struct ServerTls {
  bool on = false;
  bool verifies = true;
  std::string name;         // that their certificates are for; empty: the host of each
  std::string ca;           // a file: by whom they must be signed; empty: those that the system trusts
  std::string crl;          // a file: which of them are revoked; empty: nobody asks
  std::string certificate;  // a file with our own, and its key; empty: we show none
};

struct Pool {
  std::string name;
  std::vector<Server> servers;
  Kind kind = Kind::other;
  Balance balance = Balance::round_robin;
  UploadPackFraming upload_pack_framing = UploadPackFraming::automatic;
  bool folds_case = false;       // "Team/App" and "team/app" are one repository
  bool repairs_headers = false;  // of dumb HTTP's answers: no caching by others, no dates that are none
  uint32_t retries = 10;         // percent of requests that may be sent to another server; 0: none are
  PoolTimeouts timeouts;
  Health health;
  Probe probe;
  Admission admission;
  Agent agent;
  Sticky sticky;
  ServerTls tls;
};

// Requests for a host and below a path go to a pool. Among those that fit, the one with an exact host, then
// with a host "*.domain", then with the longest path is taken; a listener's own pool is for what fits none.
struct Route {
  std::string name;
  std::string listen;  // empty: every listener
  std::string host;    // "git.example.com", "*.example.com"; empty: any
  std::string path;    // "/lfs/": itself and all below it; empty: any
  std::string pool;
};

struct Timeouts : PoolTimeouts {
  Duration tls_handshake{10'000};  // a client's handshake is done, its wait for its turn included
  Duration head{10'000};           // a client finishes a request head it began; else 408
  Duration keep_alive{60'000};     // a client connection waits for its next request
  Duration idle{300'000};          // no byte moved in either direction of a body or tunnel
  uint64_t client_pace = 256;  // bytes a second that a client takes or gives while it is waited for; 0: any
  Duration client_pace_window{120'000};  // so much waiting for a client is judged at a time
  Duration linger{2'000};  // after an early answer, bytes the client still sends are read and dropped
  Duration drain{0};       // after SIGTERM running transfers may go on that long; 0: as long as they need
};

struct Limits {                   // per core; proxy/limits.h has the memory sum
  uint32_t connections = 10'000;  // client connections; past it 503, further past it a close
  uint32_t servers_idle = 256;    // unused pooled connections per server
  uint32_t tls_handshakes = 256;  // that run at once; further clients wait for their turn
  size_t head_bytes = 16384;      // a request or response head; 431
  size_t target_bytes = 8192;     // a request-target; 414
  uint64_t body_bytes = 0;        // a request body; 413. 0: no cap (Git and LFS need none)
  uint32_t head_buffers = 1024;   // of 20 KiB, for heads and small bodies
  uint32_t bulk_buffers = 128;    // of 128 KiB, for bodies that are copied
  uint32_t pipes = 256;           // for bodies that are spliced
};

// How names of servers are looked up (app/resolver.h).
struct Dns {
  std::vector<Endpoint> servers;  // IP addresses of resolvers; none: those of the system
  Duration min_ttl{1'000};        // a name is not looked up again before that
  Duration max_ttl{300'000};      // nor later than that, whatever its records say
  Duration timeout{3'000};        // a resolver answers
};

struct Log {
  enum class Target : uint8_t { off, standard_output, file };
  Target target = Target::standard_output;
  std::string path;  // of Target::file
};

struct Config {
  std::vector<Listen> listens;
  std::vector<Pool> pools;
  std::vector<Route> routes;
  Timeouts timeouts;
  Limits limits;
  Dns dns;
  Log log;
  bool admin_enabled = false;
  Endpoint admin;        // valid when admin_enabled; may be a unix socket
  uint32_t cores = 0;    // 0: every CPU this process may run on
  std::string pid_file;  // empty: none
  bool pin = true;       // pin each core's thread to its CPU
  bool sandbox = true;   // give up privileges and system calls once all is open (app/sandbox.h)
};

}  // namespace breakwater::config
