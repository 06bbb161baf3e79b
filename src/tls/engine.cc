#include "tls/engine.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <climits>
#include <cstring>
#include <string>
#include <utility>

#include "base/assert.h"

namespace breakwater::tls {
namespace {

constexpr std::string_view http11 = "http/1.1";

// The packaged library does not tell what keys are made from; so it keeps the records.
#ifdef HAVE_SECRET_CALLBACK
constexpr bool library_tells_secrets = true;
#else
constexpr bool library_tells_secrets = false;
int wolfSSL_set_tls13_secret_cb(WOLFSSL*, int (*)(WOLFSSL*, int, const unsigned char*, int, void*), void*) {
  return WOLFSSL_FAILURE;
}
constexpr int CLIENT_TRAFFIC_SECRET = 3, SERVER_TRAFFIC_SECRET = 4;
#endif

// In the clear: before the library is there.
void write_alert(Alert alert, std::span<char>& out) noexcept {
  const std::array<char, 2> content = alert_content(alert);
  const std::array<char, 7> record = {21, 3, 3, 0, 2, content[0], content[1]};
  if (out.size() < record.size()) return;
  std::memcpy(out.data(), record.data(), record.size());
  out = out.subspan(record.size());
}

bool is_address(std::string_view name) {
  const std::string text(name);
  std::array<char, 16> bytes{};
  return inet_pton(AF_INET, text.c_str(), bytes.data()) == 1 ||
         inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1;
}

FaultKind kind_of(wire::HelloFault fault) noexcept {
  switch (fault) {
    case wire::HelloFault::plain_http:
      return FaultKind::plain_http;
    case wire::HelloFault::not_tls:
      return FaultKind::not_tls;
    case wire::HelloFault::too_large:
      return FaultKind::hello_too_large;
    case wire::HelloFault::none:
    case wire::HelloFault::malformed:
      break;
  }
  return FaultKind::bad_hello;
}

// As IANA calls those that we have; the library has names of its own.
std::string_view suite_name(uint16_t suite) noexcept {
  switch (suite) {
    case 0x1301:
      return "TLS_AES_128_GCM_SHA256";
    case 0x1302:
      return "TLS_AES_256_GCM_SHA384";
    case 0x1303:
      return "TLS_CHACHA20_POLY1305_SHA256";
    case 0xC02B:
      return "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256";
    case 0xC02C:
      return "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384";
    case 0xC02F:
      return "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256";
    case 0xC030:
      return "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384";
    case 0xCCA8:
      return "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256";
    case 0xCCA9:
      return "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256";
    default:
      return {};
  }
}

// The library reads and writes between these two.
class Call {
 public:
  Call(Transport& transport, std::span<const char>& in, std::span<char>& out) noexcept
      : transport_(transport) {
    transport_.begin(in, out);
  }
  ~Call() { transport_.end(); }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

 private:
  Transport& transport_;
};

}  // namespace

Engine::Engine(std::shared_ptr<const Context> context) noexcept : context_(std::move(context)) {
  transport_.tickets = context_->tickets();
}

Engine::Engine(std::shared_ptr<const ClientContext> context, std::string_view name,
               const Session* session) noexcept
    : client_context_(std::move(context)) {
  state_ = State::handshake;
  peer_.wanted_name = client_context_->verifies() ? name : std::string_view();
  if (!begin(client_context_->library())) return;
  const bool asks = !name.empty() && name.size() <= asked_name_.size() && !is_address(name);
  if (asks && wolfSSL_UseSNI(library_.get(), WOLFSSL_SNI_HOST_NAME, name.data(),
                             static_cast<word16>(name.size())) != WOLFSSL_SUCCESS)
    fail_with({.kind = FaultKind::internal});
  // One that is too old is not used; nor one of another context, which may have trusted somebody else.
  if (session != nullptr && *session && session->context() == client_context_)
    wolfSSL_set_session(library_.get(), session->get());
}

Engine::~Engine() = default;

bool Engine::begin(WOLFSSL_CTX* library) noexcept {
  library_.reset(wolfSSL_new(library));
  if (library_ == nullptr) {
    fail_with({.kind = FaultKind::internal});
    return false;
  }
  wolfSSL_SetIOReadCtx(library_.get(), &transport_);
  wolfSSL_SetIOWriteCtx(library_.get(), &transport_);
  wolfSSL_SetCertCbCtx(library_.get(), &peer_);
  if (context_ != nullptr && library_tells_secrets)
    wolfSSL_set_tls13_secret_cb(library_.get(), on_secret, this);
  std::array<char, http11.size() + 1> list{};
  std::memcpy(list.data(), http11.data(), http11.size());
  // A server that agrees on nothing, or does not know ALPN, speaks HTTP/1.1 as well as any.
  const unsigned char mismatch =
      context_ != nullptr ? WOLFSSL_ALPN_FAILED_ON_MISMATCH : WOLFSSL_ALPN_CONTINUE_ON_MISMATCH;
  if (wolfSSL_UseALPN(library_.get(), list.data(), http11.size(), mismatch) == WOLFSSL_SUCCESS) return true;
  fail_with({.kind = FaultKind::internal});
  return false;
}

Engine::Step Engine::handshake(std::span<const char>& in, std::span<char>& out) noexcept {
  if (state_ == State::failed) return Step::failed;
  BW_ASSERT(state_ != State::open);
  if (state_ == State::hello) {
    const Step step = read_hello(in, out);
    if (step != Step::done) return step;
  }
  const Call call(transport_, in, out);
  const int result = context_ != nullptr ? wolfSSL_accept(library_.get()) : wolfSSL_connect(library_.get());
  if (result != WOLFSSL_SUCCESS) return step_of(result);
  return shook_hands();
}

Engine::Step Engine::shook_hands() noexcept {
  WOLFSSL* const library = library_.get();
  char* http = nullptr;
  word16 http_bytes = 0;
  const bool names_one = wolfSSL_ALPN_GetProtocol(library, &http, &http_bytes) == WOLFSSL_SUCCESS;
  const char* const curve = wolfSSL_get_curve_name(library);
  agreed_ = {
      .protocol = wolfSSL_get_version(library),
      .suite = suite_name(static_cast<uint16_t>(wolfSSL_get_current_cipher_suite(library))),
      .group = curve != nullptr ? curve : std::string_view(),
      .is_resumed = wolfSSL_session_reused(library) != 0,
      .speaks_http = names_one && std::string_view(http, http_bytes) == http11,
  };
  // The library saw to it already; but on this everything rests.
  const bool must_know = client_context_ != nullptr && client_context_->verifies();
  if (must_know && !agreed_.is_resumed && peer_.shown == nullptr)
    return fail_with({.kind = FaultKind::no_certificate});
  transport_.idle_records().handshake_is_over();
  if (context_ != nullptr && library_tells_secrets && !hand_over())
    return fail_with({.kind = FaultKind::internal});
  state_ = State::open;
  return Step::done;
}

// By TLS 1.3, what the keys of data are made from.
int Engine::on_secret(WOLFSSL*, int id, const unsigned char* secret, int bytes, void* self) noexcept {
  if (id != CLIENT_TRAFFIC_SECRET && id != SERVER_TRAFFIC_SECRET) return 0;
  Engine& engine = *static_cast<Engine*>(self);
  if (engine.becoming_ == nullptr) engine.becoming_ = std::make_unique<Records>();
  RecordKey& way = id == SERVER_TRAFFIC_SECRET ? engine.becoming_->sending : engine.becoming_->receiving;
  TrafficKey& key = way.traffic_key();
  if (bytes <= 0 || bytes > int{TrafficKey::secret_bytes_max}) return -1;
  std::memcpy(key.secret.data(), secret, static_cast<size_t>(bytes));
  key.secret_bytes = static_cast<uint8_t>(bytes);
  return 0;
}

// From the library to Records, which go on where it stands.
bool Engine::hand_over() noexcept {
  WOLFSSL* const library = library_.get();
  records_ = becoming_ != nullptr ? std::move(becoming_) : std::make_unique<Records>();
  const bool is_tls13 = wolfSSL_version(library) == TLS1_3_VERSION;
  const bool is_aes = agreed_.suite.find("AES") != std::string_view::npos;
  const int key_bytes = wolfSSL_GetKeySize(library);
  const auto fill = [&](TrafficKey& key, const byte* bytes, const byte* nonce, word64 sequence) {
    key.version = is_tls13 ? Version::tls13 : Version::tls12;
    key.cipher = is_aes ? Cipher::aes_gcm : Cipher::chacha20_poly1305;
    key.key_bytes = static_cast<uint8_t>(key_bytes);
    key.nonce_bytes = !is_tls13 && is_aes ? 4 : 12;
    key.sequence = sequence;
    if (bytes == nullptr || nonce == nullptr || key_bytes <= 0 || key_bytes > int{sizeof key.key})
      return false;
    std::memcpy(key.key.data(), bytes, key.key_bytes);
    std::memcpy(key.nonce.data(), nonce, key.nonce_bytes);
    return !is_tls13 || key.secret_bytes > 0;
  };
  word64 sent = 0, received = 0;
  wolfSSL_GetSequenceNumber(library, &sent);  // what they return says whether it is 0
  wolfSSL_GetPeerSequenceNumber(library, &received);
  const bool good = fill(records_->sending.traffic_key(), wolfSSL_GetServerWriteKey(library),
                         wolfSSL_GetServerWriteIV(library), sent) &&
                    fill(records_->receiving.traffic_key(), wolfSSL_GetClientWriteKey(library),
                         wolfSSL_GetClientWriteIV(library), received) &&
                    records_->start();
  library_.reset();
  if (!good) records_.reset();
  return good;
}

Engine::Step Engine::read_hello(std::span<const char> in, std::span<char>& out) noexcept {
  wire::ClientHello hello;
  wire::HelloFault fault = wire::HelloFault::none;
  switch (wire::read_client_hello({in.data(), in.size()}, hello, fault)) {
    case wire::HelloState::partial:
      return Step::wants_input;
    case wire::HelloState::broken:
      // To who speaks plain HTTP an alert would be binary rubbish.
      if (fault == wire::HelloFault::plain_http) return fail_with({.kind = FaultKind::plain_http});
      return refuse(kind_of(fault),
                    fault == wire::HelloFault::malformed ? Alert::decode_error : Alert::unexpected_message,
                    out);
    case wire::HelloState::whole:
      break;
  }
  std::memcpy(asked_name_.data(), hello.name().data(), hello.name().size());
  asked_name_bytes_ = hello.name_bytes;
  const bool old = context_->minimum() == Version::tls13 ? !hello.offers_tls13
                                                         : !hello.offers_tls13 && !hello.offers_tls12;
  if (old) return refuse(FaultKind::old_protocol, Alert::protocol_version, out);
  if (hello.names_protocols && !hello.names_http11)
    return refuse(FaultKind::no_application, Alert::no_application_protocol, out);
  if (!begin(context_->choose(hello)->library)) {
    write_alert(Alert::internal_error, out);
    return Step::failed;
  }
  state_ = State::handshake;
  return Step::done;
}

Engine::Step Engine::refuse(FaultKind kind, Alert alert, std::span<char>& out) noexcept {
  write_alert(alert, out);
  return fail_with({.kind = kind});
}

Engine::Step Engine::fail_with(Fault fault) noexcept {
  if (state_ != State::failed) fault_ = fault;
  state_ = State::failed;
  return Step::failed;
}

Engine::Step Engine::fail(int library_code) noexcept {
  const int16_t code = static_cast<int16_t>(library_code);
  if (transport_.is_storm()) return fail_with({.kind = FaultKind::storm});
  if (peer_.fault) return fail_with(peer_.fault);
  if (transport_.plain_alert() != 0)
    return fail_with({.kind = FaultKind::alert, .alert = transport_.plain_alert(), .library_code = code});
  if (library_code == FATAL_ERROR) {
    WOLFSSL_ALERT_HISTORY alerts{};
    wolfSSL_get_alert_history(library_.get(), &alerts);
    if (alerts.last_rx.level == alert_fatal || alerts.last_rx.code > 0)
      return fail_with({.kind = FaultKind::alert,
                        .alert = static_cast<uint8_t>(alerts.last_rx.code),
                        .library_code = code});
  }
  return fail_with({.kind = tls::kind_of(library_code), .library_code = code});
}

// What the library's answer that is no success means.
Engine::Step Engine::step_of(int result) noexcept {
  const int code = wolfSSL_get_error(library_.get(), result);
  switch (code) {
    case WOLFSSL_ERROR_WANT_READ:
      return transport_.starved_of_room() ? Step::wants_room : Step::wants_input;
    case WOLFSSL_ERROR_WANT_WRITE:
      return Step::wants_room;
    case WOLFSSL_ERROR_ZERO_RETURN:
      // Who says good-bye before anything was agreed has given up.
      if (state_ != State::open) return fail_with({.kind = FaultKind::alert, .alert = 0});
      peer_closed_ = true;
      return Step::closed;
    default:
      return fail(code);
  }
}

Engine::Step Engine::open(std::span<char>& in, std::span<char>& data, std::span<char>& out) noexcept {
  if (state_ == State::failed) return Step::failed;
  BW_ASSERT(state_ == State::open);
  if (records_ != nullptr) return records_->open(in, data, out);
  if (peer_closed_) return Step::closed;
  std::span<const char> taken = in;
  const Call call(transport_, taken, out);
  while (!data.empty()) {
    const int most = static_cast<int>(std::min<size_t>(data.size(), INT_MAX));
    const int opened = wolfSSL_read(library_.get(), data.data(), most);
    in = in.last(taken.size());
    if (opened <= 0) return step_of(opened);
    transport_.idle_records().data_came(static_cast<size_t>(opened));
    data = data.subspan(static_cast<size_t>(opened));
  }
  return Step::wants_room;
}

bool Engine::holds_data() const noexcept {
  if (records_ != nullptr) return records_->holds_data();
  return state_ == State::open && wolfSSL_pending(library_.get()) > 0;
}

Engine::Step Engine::seal(std::span<const char>& data, std::span<char>& out) noexcept {
  if (state_ == State::failed) return Step::failed;
  BW_ASSERT(state_ == State::open);
  if (records_ != nullptr) return records_->seal(data, out);
  std::span<const char> nothing;
  const Call call(transport_, nothing, out);
  while (!data.empty()) {
    if (out.size() <= record_overhead_max) return Step::wants_room;
    const size_t bytes = std::min({data.size(), record_data_max, out.size() - record_overhead_max});
    const int sealed = wolfSSL_write(library_.get(), data.data(), static_cast<int>(bytes));
    if (sealed <= 0) return step_of(sealed);
    data = data.subspan(static_cast<size_t>(sealed));
  }
  return Step::done;
}

Engine::Step Engine::close(std::span<char>& out) noexcept {
  if (state_ != State::open) return state_ == State::failed ? Step::failed : Step::done;
  if (records_ != nullptr) return records_->close(out);
  if (out.size() < record_overhead_max + 2) return Step::wants_room;
  std::span<const char> nothing;
  const Call call(transport_, nothing, out);
  // That the other side's has not come yet is none of our business here.
  wolfSSL_shutdown(library_.get());
  return Step::done;
}

Fault Engine::ended() noexcept {
  if (records_ != nullptr) return records_->ended();
  if (state_ == State::failed) return fault_;
  if (peer_closed_) return {};
  fail_with({.kind = FaultKind::truncated});
  return fault_;
}

Session Engine::session() const noexcept {
  if (state_ != State::open || wolfSSL_version(library_.get()) != TLS1_3_VERSION) return {};
  return Session(wolfSSL_get1_session(library_.get()), client_context_);
}

}  // namespace breakwater::tls
