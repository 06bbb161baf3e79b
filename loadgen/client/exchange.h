// Exchange: one request and its answer on a runner's connection (RFC 9112), with curl's rules about
// connections: one that the server closed while it was idle is opened again, and a request that met such a
// closing is sent once more. The answer's payload goes piece by piece to a Sink, as it lies in the
// connection's buffer; only what a server has compressed is copied.
//
// Redirects and challenges are told, not followed: that is up to whoever knows what the request was for.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "client/connection.h"
#include "client/inflater.h"
#include "coro/task.h"
#include "measure/outcome.h"
#include "wire/http_body.h"
#include "wire/http_head.h"

namespace breakwater::storm {

// A body that is made while it is sent.
class BodySource {
 public:
  virtual ~BodySource() = default;
  // The next piece, which stays in place until the next call; empty: that was all.
  virtual std::string_view next() = 0;
};

struct Message {
  wire::Method method = wire::Method::get;
  std::string_view head;         // whole, with its blank line
  std::string_view body;         // as its head says
  BodySource* pieces = nullptr;  // instead of `body`: sent in chunks
};

struct Answer {
  uint16_t status = 0;                               // of the final head; 0: none came
  bool is_dumb = false;                              // its Content-Type is none of Git's smart protocol
  bool offers_basic = false, offers_bearer = false;  // WWW-Authenticate, or LFS-Authenticate
  bool retry_after = false;                          // Retry-After is there
  bool was_cut = false;                              // the Sink had enough
  std::string location;                              // of a redirect
  int64_t first_byte_ns = -1;
  uint64_t payload_bytes = 0;
};

// Where the payload of a 200 goes (of others it is dropped).
class Sink {
 public:
  virtual ~Sink() = default;
  // False: it has seen enough. The connection can't be used again then.
  virtual bool take(std::string_view payload) = 0;
};

// Takes whatever comes.
struct Dropped : Sink {
  bool take(std::string_view) override { return true; }
};

class Exchange {
 public:
  Exchange(Core& core, Connection& connection) noexcept : core_(core), connection_(connection) {}

  // Suspends. `message` and what it names stay in place until it ends. Whatever status comes is an answer,
  // and no failure here. Afterwards the connection is open if it may be used again. `times` is filled in by
  // the first connection that is made.
  Task<Failure> perform(const Message& message, Sink& sink, Answer& answer, Connection::Times& times);

  // What there is to say of the last failure besides its class; empty: nothing.
  std::string_view why() const noexcept { return why_.empty() ? connection_.why() : why_; }

 private:
  Task<Failure> send(const Message& message);
  Task<Failure> read_head(const Message& message, Answer& answer);
  Task<Failure> read_body(Sink& sink, Answer& answer);
  Failure look_at_head(const Message& message, Answer& answer, bool& is_final);
  Failure take_body(Sink& sink, Answer& answer);
  bool give(std::string_view payload, Sink& sink, Answer& answer);
  Failure fail(Failure failure, std::string_view why);

  Core& core_;
  Connection& connection_;
  wire::HeadScanner scanner_{head_limits};
  wire::BodyReader body_;
  std::unique_ptr<Inflater> inflater_;
  bool keep_alive_ = false;
  std::string why_;  // of what the server sent; empty: ask the connection

  static constexpr wire::HeadLimits head_limits{};
};

}  // namespace breakwater::storm
