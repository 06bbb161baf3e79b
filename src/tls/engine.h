// One TLS connection without its socket: bytes come in and go out through the caller's spans, and nothing
// here waits.
//
// Each call takes from the front of `in` what it can use and writes to the front of `out` what is to be sent;
// both spans are shortened by that. So whoever calls has one loop: receive, call, send. Its Step says what it
// waits for.
//
//   handshake()   until it is `done`; until then nothing else
//   open()        records in, data out: to where the caller wants it, which may be the very place they came
//   from seal()        data in, records out: as many as there is room for close()       our close_notify, at
//   the end ended()       the connection has ended: what does that mean?
//
// A client's hello is read before the library is asked (wire/client_hello.h), so a connection that never gets
// that far costs this object, 400 bytes, and what its owner holds of what came. Then the library shakes
// hands. On a server's side that is all it is for: from then on there are only Records (the packaged library
// keeps them: it does not tell enough). On a client's side it stays, because of the tickets that servers
// send. docs/tls.md has the sum of the memory. One thread at a time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "tls/context.h"
#include "tls/fault.h"
#include "tls/peer.h"
#include "tls/records.h"
#include "tls/session.h"
#include "tls/step.h"
#include "tls/transport.h"

namespace breakwater::tls {

class Engine {
 public:
  static constexpr size_t record_data_max = RecordKey::content_bytes_max;
  // What a record is longer than its data, at most: head, nonce, type and tag.
  static constexpr size_t record_overhead_max = RecordKey::overhead_max;
  // With less room nothing is taken from `in`.
  static constexpr size_t room_min = Transport::room_min;
  static_assert(room_min == Records::room_min);

  using Step = tls::Step;

  // A server's side.
  explicit Engine(std::shared_ptr<const Context> context) noexcept;
  // A client's side. `name` is asked for (SNI) unless it is an address, and the server's certificate must be
  // for it; it must outlive the handshake. `session` may be of an earlier connection to the same server.
  Engine(std::shared_ptr<const ClientContext> context, std::string_view name,
         const Session* session = nullptr) noexcept;
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // On a server's side `in` must hold everything from the first byte until this took something of it: at most
  // wire::ClientHello::bytes_max.
  Step handshake(std::span<const char>& in, std::span<char>& out) noexcept;
  bool handshake_done() const noexcept { return state_ == State::open; }

  // Never `done`: it goes on until there is no more input, or no more room. What it takes of `in` it may
  // write to. `data` may begin at or before the place that `in` begins at: a record is longer than its data.
  Step open(std::span<char>& in, std::span<char>& data, std::span<char>& out) noexcept;
  // Data that was taken out of `in` and for which there was no room in `data` yet.
  bool holds_data() const noexcept;

  // A part of a record was taken, and its rest has not come.
  bool amid_record() const noexcept {
    return records_ != nullptr ? records_->amid_record() : transport_.amid_record();
  }

  Step seal(std::span<const char>& data, std::span<char>& out) noexcept;
  // Needs room for one record of two bytes. Data may still come.
  Step close(std::span<char>& out) noexcept;
  // The connection ended: none after a close_notify, otherwise `truncated`, unless it had failed before.
  Fault ended() noexcept;

  const Fault& fault() const noexcept { return records_ != nullptr ? records_->fault() : fault_; }

  // ---- what was agreed, once the handshake is done
  struct Agreed {
    std::string_view protocol;  // "TLSv1.3"
    std::string_view suite;     // "TLS_AES_128_GCM_SHA256"
    std::string_view group;     // "X25519"; empty if none took part
    bool is_resumed = false;
    bool speaks_http = false;  // by ALPN; false if the client named nothing
  };
  const Agreed& agreed() const noexcept { return agreed_; }

  // A server's side: the name asked for (SNI); empty if none was.
  std::string_view asked_name() const noexcept { return {asked_name_.data(), asked_name_bytes_}; }
  // The other side's certificate, verified; null if it showed none, and on a session that was resumed.
  const Certificate* peer() const noexcept { return peer_.shown.get(); }
  // A client's side: to come back with. May be had once data came, for a server's ticket comes with it. Empty
  // with TLS 1.2: when a server that gives no session ids does not take a ticket of it any more, the library
  // thinks that it did.
  Session session() const noexcept;
  // Null on a client's side, before the handshake is done, and with the packaged library.
  const Records* records() const noexcept { return records_.get(); }
  // From now on somebody else has the keys; of this only what was agreed is left.
  void lose_records() noexcept { records_.reset(); }
  // For tests, which have the library do what an honest peer would not. Null where there are Records.
  WOLFSSL* library() const noexcept { return library_.get(); }

 private:
  enum class State : uint8_t { hello, handshake, open, failed };
  struct Free {
    void operator()(WOLFSSL* connection) const noexcept { wolfSSL_free(connection); }
  };

  Step read_hello(std::span<const char> in, std::span<char>& out) noexcept;
  Step refuse(FaultKind kind, Alert alert, std::span<char>& out) noexcept;
  bool begin(WOLFSSL_CTX* library) noexcept;
  Step fail(int library_code) noexcept;
  Step fail_with(Fault fault) noexcept;
  Step step_of(int result) noexcept;
  Step shook_hands() noexcept;
  static int on_secret(WOLFSSL* library, int id, const unsigned char* secret, int bytes, void* self) noexcept;
  bool hand_over() noexcept;

  std::shared_ptr<const Context> context_;
  std::shared_ptr<const ClientContext> client_context_;
  std::unique_ptr<WOLFSSL, Free> library_;
  std::unique_ptr<Records> becoming_;  // in the handshake: what is known of them
  std::unique_ptr<Records> records_;
  Transport transport_;
  Peer peer_;
  Agreed agreed_;
  Fault fault_;
  State state_ = State::hello;
  bool peer_closed_ = false;
  uint8_t asked_name_bytes_ = 0;
  std::array<char, 253> asked_name_{};
};

}  // namespace breakwater::tls
