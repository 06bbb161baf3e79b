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
// that far costs this object, 400 bytes, and what its owner holds of what came. After that it is the
// library's memory; docs/tls.md has the sum. No more is allocated for a record; the library takes 17 KiB for
// the time in which it opens or seals one. One thread at a time.
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
#include "tls/session.h"
#include "tls/transport.h"

namespace breakwater::tls {

// For kernel TLS: what seals or opens the records of one direction from now on.
struct TrafficKey {
  std::array<uint8_t, 32> key{};
  std::array<uint8_t, 12> nonce{};  // 4 bytes with TLS 1.2 and AES-GCM
  uint8_t key_bytes = 0;
  uint8_t nonce_bytes = 0;
  uint64_t sequence = 0;  // of the next record
  ~TrafficKey();          // wipes
};

class Engine {
 public:
  static constexpr size_t record_data_max = 16 * 1024;
  // What a record is longer than its data, at most: head, nonce, type and tag.
  static constexpr size_t record_overhead_max = 5 + 8 + 1 + 16;
  // With less room nothing is taken from `in`.
  static constexpr size_t room_min = Transport::room_min;

  enum class Step : uint8_t {
    done,         // with what was asked for
    wants_input,  // all of `in` that could be used was, and more must come
    wants_room,   // `out`, or the place for data, is full; what is in `out` is to be sent first
    closed,       // the other side said that no more data comes (close_notify)
    failed,       // see fault(); `out` may hold an alert, to be sent before the end
  };

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

  // Never `done`: it goes on until there is no more input, or no more room. `data` may begin at or before the
  // place that `in` begins at: a record is out of `in` before its data is written, and longer.
  Step open(std::span<const char>& in, std::span<char>& data, std::span<char>& out) noexcept;
  // Data that was taken out of `in` and for which there was no room in `data` yet.
  bool holds_data() const noexcept;

  // A part of a record was taken, and its rest has not come.
  bool amid_record() const noexcept { return transport_.amid_record(); }

  Step seal(std::span<const char>& data, std::span<char>& out) noexcept;
  // Needs room for one record of two bytes. Data may still come.
  Step close(std::span<char>& out) noexcept;
  // The connection ended: none after a close_notify, otherwise `truncated`, unless it had failed before.
  Fault ended() noexcept;

  const Fault& fault() const noexcept { return fault_; }

  // ---- what was agreed, once the handshake is done
  std::string_view protocol() const noexcept;  // "TLSv1.3"
  std::string_view suite() const noexcept;     // "TLS_AES_128_GCM_SHA256"
  std::string_view group() const noexcept;     // "X25519"; empty if none took part
  bool resumed() const noexcept;
  bool agreed_on_http() const noexcept;  // by ALPN; false if the client named nothing

  // A server's side: the name asked for (SNI); empty if none was.
  std::string_view asked_name() const noexcept { return {asked_name_.data(), asked_name_bytes_}; }
  // The other side's certificate, verified; null if it showed none, and on a session that was resumed.
  const Certificate* peer() const noexcept { return peer_.shown.get(); }
  // A client's side: to come back with. May be had once data came, for a server's ticket comes with it. Empty
  // with TLS 1.2: when a server that gives no session ids does not take a ticket of it any more, the library
  // thinks that it did.
  Session session() const noexcept;
  // False before the handshake is done, and with a suite of other kind.
  bool traffic_keys(TrafficKey& sending, TrafficKey& receiving) const noexcept;
  // For tests, which have the library do what an honest peer would not.
  WOLFSSL* library() const noexcept { return library_.get(); }

 private:
  enum class State : uint8_t { hello, handshake, open, failed };
  struct Free {
    void operator()(WOLFSSL* connection) const noexcept { wolfSSL_free(connection); }
  };

  Step read_hello(std::span<const char> in, std::span<char>& out) noexcept;
  Step refuse(FaultKind kind, uint8_t alert, std::span<char>& out) noexcept;
  bool begin(WOLFSSL_CTX* library) noexcept;
  Step fail(int library_code) noexcept;
  Step fail_with(Fault fault) noexcept;
  Step step_of(int result) noexcept;

  std::shared_ptr<const Context> context_;
  std::shared_ptr<const ClientContext> client_context_;
  std::unique_ptr<WOLFSSL, Free> library_;
  Transport transport_;
  Peer peer_;
  Fault fault_;
  State state_ = State::hello;
  bool peer_closed_ = false;
  uint8_t asked_name_bytes_ = 0;
  std::array<char, 253> asked_name_{};
};

}  // namespace breakwater::tls
