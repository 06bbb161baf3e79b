#include "tls.h"

#include <sys/socket.h>
#include <wolfssl/options.h>
// Everything else wants the options before it.
#include <wolfssl/error-ssl.h>
#include <wolfssl/ssl.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <span>

#include "sockets.h"

namespace breakwater::bench {
namespace {

constexpr size_t record_head_bytes = 5;
// Sealed before the socket is asked to take it: a few records in one call.
constexpr size_t seal_bytes_max = 128 * 1024;
constexpr size_t record_data_max = 16 * 1024;
// So many calls to the socket in a turn, so that connections take turns.
constexpr unsigned fills_max = 4;
constexpr std::string_view http11 = "http/1.1";

// What comes from the socket, of all connections in turn: much at once, and always in the same cache lines.
std::array<char, 256 * 1024> arrived;
std::array<char, record_data_max> scratch;

int group_number(const std::string& name) {
  if (name == "X25519") return WOLFSSL_ECC_X25519;
  if (name == "P-256") return WOLFSSL_ECC_SECP256R1;
  give_up("the group is X25519 or P-256, not '" + name + "'");
}

}  // namespace

void SessionFree::operator()(WOLFSSL_SESSION* session) const noexcept {
  wolfSSL_SESSION_free(session);
}
void TlsChannel::Free::operator()(WOLFSSL* connection) const noexcept {
  wolfSSL_free(connection);
}

Tls::Tls(const TlsOptions& options) : options_(options) {
  const auto demand = [](bool good, const std::string& what) {
    if (!good) give_up("the TLS library refuses " + what);
  };
  demand(wolfSSL_Init() == WOLFSSL_SUCCESS, "to start");
  context_ = wolfSSL_CTX_new(options_.is_old ? wolfTLSv1_2_client_method() : wolfTLSv1_3_client_method());
  demand(context_ != nullptr, "a context");
  demand(wolfSSL_CTX_set_cipher_list(context_, options_.suite.c_str()) == WOLFSSL_SUCCESS, options_.suite);
  const int number = group_number(options_.group);
  demand(wolfSSL_CTX_UseSupportedCurve(context_, word16(number)) == WOLFSSL_SUCCESS, options_.group);
  // With TLS 1.2 the curve of an ECDSA certificate has to be among them, too.
  demand(
      !options_.is_old || wolfSSL_CTX_UseSupportedCurve(context_, WOLFSSL_ECC_SECP256R1) == WOLFSSL_SUCCESS,
      "P-256");
  demand(wolfSSL_CTX_UseSessionTicket(context_) == WOLFSSL_SUCCESS, "tickets");
  // A session is with the connection that brought it, and in no table.
  wolfSSL_CTX_set_session_cache_mode(context_, WOLFSSL_SESS_CACHE_NO_INTERNAL_STORE);
  wolfSSL_CTX_set_group_messages(context_);
  if (options_.insecure) {
    wolfSSL_CTX_set_verify(context_, WOLFSSL_VERIFY_NONE, nullptr);
  } else {
    wolfSSL_CTX_set_verify(context_, WOLFSSL_VERIFY_PEER, nullptr);
    demand(
        wolfSSL_CTX_load_verify_locations(context_, options_.authorities.c_str(), nullptr) == WOLFSSL_SUCCESS,
        options_.authorities);
  }
}

Tls::~Tls() {
  wolfSSL_CTX_free(context_);
}

void Tls::count(WOLFSSL* connection) {
  ++handshakes_;
  if (wolfSSL_session_reused(connection) != 0) ++resumed_;
  if (!agreed_.empty()) return;
  const char* const group = wolfSSL_get_curve_name(connection);
  agreed_ = std::string(wolfSSL_get_version(connection)) + " " + wolfSSL_get_cipher_name(connection) + " " +
            (group != nullptr ? group : "no group");
}

// Between turns, what the library has not taken is the connection's own.
class TlsChannel::Turn {
 public:
  explicit Turn(TlsChannel& channel) noexcept : channel_(channel) {
    channel_.in_ = channel_.rest_;
    channel_.fills_left_ = fills_max;
  }
  ~Turn() {
    if (channel_.in_.data() >= arrived.data() && channel_.in_.data() < arrived.data() + arrived.size()) {
      channel_.rest_.assign(channel_.in_);
    } else {
      channel_.rest_.erase(0, channel_.rest_.size() - channel_.in_.size());
    }
    channel_.in_ = channel_.rest_;
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  TlsChannel& channel_;
};

TlsChannel::TlsChannel(Tls& tls, int fd, WOLFSSL_SESSION* session)
    : tls_(tls), fd_(fd), library_(wolfSSL_new(tls.context_)) {
  WOLFSSL* const library = library_.get();
  if (library == nullptr) give_up("the TLS library has no memory");
  wolfSSL_SSLSetIORecv(library, read_for_library);
  wolfSSL_SSLSetIOSend(library, write_for_library);
  wolfSSL_SetIOReadCtx(library, this);
  wolfSSL_SetIOWriteCtx(library, this);
  const TlsOptions& options = tls.options();
  const std::string& name = options.server_name;
  std::string protocols(http11);
  if (wolfSSL_UseSNI(library, WOLFSSL_SNI_HOST_NAME, name.data(), word16(name.size())) != WOLFSSL_SUCCESS ||
      wolfSSL_UseALPN(library, protocols.data(), unsigned(protocols.size()),
                      WOLFSSL_ALPN_FAILED_ON_MISMATCH) != WOLFSSL_SUCCESS ||
      (!options.insecure && wolfSSL_check_domain_name(library, name.c_str()) != WOLFSSL_SUCCESS) ||
      (!options.is_old &&
       wolfSSL_UseKeyShare(library, word16(group_number(options.group))) != WOLFSSL_SUCCESS)) {
    give_up("the TLS library refuses the name, ALPN or the group");
  }
  if (session != nullptr) wolfSSL_set_session(library, session);
}

int TlsChannel::write_for_library(WOLFSSL*, char* bytes, int count, void* channel) noexcept {
  static_cast<TlsChannel*>(channel)->unsent_.append(bytes, size_t(count));
  return count;
}

// Only records that are there as a whole, so that the library never holds a part of one.
int TlsChannel::read_for_library(WOLFSSL*, char* buffer, int bytes, void* channel) noexcept {
  TlsChannel& self = *static_cast<TlsChannel*>(channel);
  if (self.record_left_ == 0) {
    while (self.first_record_bytes() == 0)
      if (!self.fill()) return self.ended_ ? WOLFSSL_CBIO_ERR_CONN_CLOSE : WOLFSSL_CBIO_ERR_WANT_READ;
    self.record_left_ = self.first_record_bytes();
  }
  const size_t taken = std::min(size_t(bytes), self.record_left_);
  std::memcpy(buffer, self.in_.data(), taken);
  self.in_.remove_prefix(taken);
  self.record_left_ -= taken;
  return int(taken);
}

// 0 if it is not all there.
size_t TlsChannel::first_record_bytes() const noexcept {
  if (in_.size() < record_head_bytes) return 0;
  const size_t body = size_t(uint8_t(in_[3])) << 8 | uint8_t(in_[4]);
  return in_.size() >= record_head_bytes + body ? record_head_bytes + body : 0;
}

bool TlsChannel::fill() noexcept {
  if (fills_left_ == 0 || ended_) return false;
  // Less than a record, and there is room for several.
  std::memmove(arrived.data(), in_.data(), in_.size());
  in_ = {arrived.data(), in_.size()};
  const size_t room = arrived.size() - in_.size();
  const ssize_t got = recv(fd_, arrived.data() + in_.size(), room, MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  ended_ = got <= 0;
  reset_ = got < 0;
  if (ended_) return false;
  in_ = {arrived.data(), in_.size() + size_t(got)};
  fills_left_ = size_t(got) < room ? 0 : fills_left_ - 1;
  return true;
}

// True if the socket has taken everything, otherwise with errno.
bool TlsChannel::flush() noexcept {
  if (sent_ == unsent_.size()) return true;
  const ssize_t sent =
      ::send(fd_, unsent_.data() + sent_, unsent_.size() - sent_, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent < 0) return false;
  sent_ += size_t(sent);
  errno = EAGAIN;
  if (sent_ < unsent_.size()) return false;
  unsent_.clear();
  sent_ = 0;
  return true;
}

ssize_t TlsChannel::fail() noexcept {
  failed_ = true;
  errno = EPROTO;
  return -1;
}

// True once it is done, otherwise with errno.
bool TlsChannel::shake_hands() noexcept {
  const Turn turn(*this);
  const int result = wolfSSL_connect(library_.get());
  if (result == WOLFSSL_SUCCESS) {
    established_ = true;
    tls_.count(library_.get());
    return true;
  }
  if (wolfSSL_get_error(library_.get(), result) == WOLFSSL_ERROR_WANT_READ) {
    if (flush()) errno = EAGAIN;
    return false;
  }
  flush();  // an alert
  fail();
  return false;
}

// What is sealed counts as sent: it is no more than `seal_bytes_max` ahead of the socket.
ssize_t TlsChannel::send(std::span<const iovec> parts) noexcept {
  if (failed_) return fail();
  if (!flush()) return -1;
  if (!established_ && !shake_hands()) return -1;
  size_t sealed = 0;
  for (const iovec& part : parts) {
    const size_t bytes = std::min(part.iov_len, seal_bytes_max - sealed);
    if (bytes == 0) break;
    if (wolfSSL_write(library_.get(), part.iov_base, int(bytes)) != int(bytes)) return fail();
    sealed += bytes;
    if (bytes < part.iov_len) break;
  }
  if (!flush() && errno != EAGAIN && errno != EINTR) return -1;
  return ssize_t(sealed);
}

// As much as asked for, if it is there; with no buffer it is thrown away.
ssize_t TlsChannel::take(char* buffer, size_t bytes) noexcept {
  if (failed_) return fail();
  const Turn turn(*this);
  size_t taken = 0;
  while (taken < bytes) {
    char* const where = buffer != nullptr ? buffer + taken : scratch.data();
    const size_t wanted = std::min(bytes - taken, buffer != nullptr ? size_t{INT_MAX} : scratch.size());
    const int got = wolfSSL_read(library_.get(), where, int(wanted));
    if (got > 0) {
      taken += size_t(got);
      continue;
    }
    const int error = wolfSSL_get_error(library_.get(), got);
    if (error == WOLFSSL_ERROR_WANT_READ) break;
    said_good_bye_ = error == WOLFSSL_ERROR_ZERO_RETURN;
    failed_ = !said_good_bye_;
    break;
  }
  if (taken > 0) return ssize_t(taken);
  if (failed_) return fail();
  if (said_good_bye_) return 0;
  errno = EAGAIN;
  return -1;
}

ssize_t TlsChannel::receive(char* buffer, size_t bytes) noexcept {
  return take(buffer, bytes);
}

ssize_t TlsChannel::drop(size_t bytes) noexcept {
  return take(nullptr, bytes);
}

bool TlsChannel::holds_data() const noexcept {
  return failed_ || said_good_bye_ || wolfSSL_pending(library_.get()) > 0 || first_record_bytes() > 0;
}

bool TlsChannel::waits_to_send(bool busy) const noexcept {
  return sent_ < unsent_.size() || (established_ && busy);
}

bool TlsChannel::speaks() noexcept {
  if (!established_) return false;
  const Turn turn(*this);
  char byte;
  const int seen = wolfSSL_peek(library_.get(), &byte, 1);
  return seen > 0 || wolfSSL_get_error(library_.get(), seen) != WOLFSSL_ERROR_WANT_READ;
}

bool TlsChannel::at_end() noexcept {
  if (established_ && !said_good_bye_ && take(nullptr, 1) < 0 && errno == EAGAIN) return false;
  // Up to the socket's end: who closes it with bytes unread resets the connection.
  ssize_t got;
  do got = recv(fd_, scratch.data(), scratch.size(), MSG_DONTWAIT);
  while (got > 0);
  return got == 0 || errno != EAGAIN;
}

Channel::Trouble TlsChannel::trouble() const noexcept {
  if (!failed_ || reset_) return Trouble::none;
  if (!established_) return Trouble::handshake;
  return ended_ ? Trouble::truncated : Trouble::none;
}

TlsSession TlsChannel::session() const noexcept {
  return TlsSession(established_ ? wolfSSL_get1_session(library_.get()) : nullptr);
}

}  // namespace breakwater::bench
