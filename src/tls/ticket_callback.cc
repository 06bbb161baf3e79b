#include "tls/ticket_callback.h"

#include "tls/ticket_keys.h"
#include "tls/transport.h"

namespace breakwater::tls {

int ticket_for_library(WOLFSSL* connection, unsigned char name[WOLFSSL_TICKET_NAME_SZ],
                       unsigned char nonce[WOLFSSL_TICKET_IV_SZ], unsigned char tag[WOLFSSL_TICKET_MAC_SZ],
                       int seals, unsigned char* ticket, int bytes, int* bytes_after, void*) noexcept {
  static_assert(TicketKeys::name_bytes == WOLFSSL_TICKET_NAME_SZ);
  static_assert(TicketKeys::nonce_bytes <= WOLFSSL_TICKET_IV_SZ &&
                TicketKeys::tag_bytes <= WOLFSSL_TICKET_MAC_SZ);
  const TicketKeys* const keys = static_cast<const Transport*>(wolfSSL_GetIOReadCtx(connection))->tickets;
  if (keys == nullptr) return seals != 0 ? WOLFSSL_TICKET_RET_FATAL : WOLFSSL_TICKET_RET_REJECT;
  const std::span<uint8_t> content(ticket, static_cast<size_t>(bytes));
  const TicketKeys::Seal seal{
      .name = std::span<uint8_t, TicketKeys::name_bytes>(name, TicketKeys::name_bytes),
      .nonce = std::span<uint8_t, TicketKeys::nonce_bytes>(nonce, TicketKeys::nonce_bytes),
      .tag = std::span<uint8_t, TicketKeys::tag_bytes>(tag, TicketKeys::tag_bytes)};
  *bytes_after = bytes;
  if (seals == 0) {
    switch (keys->open(content, seal)) {
      case TicketKeys::Opened::no:
        return WOLFSSL_TICKET_RET_REJECT;
      case TicketKeys::Opened::yes:
        return WOLFSSL_TICKET_RET_OK;
      case TicketKeys::Opened::with_old_key:
        // With TLS 1.3 the client gets a new one in any case, and some versions of the library take the other
        // answer for a no. Version 5.5.4 forgets to send a new one with TLS 1.2.
        return wolfSSL_version(connection) == TLS1_3_VERSION ? WOLFSSL_TICKET_RET_OK
                                                             : WOLFSSL_TICKET_RET_CREATE;
    }
  }
  WC_RNG* const source = wolfSSL_GetRNG(connection);
  const bool sealed = source != nullptr && wc_RNG_GenerateBlock(source, nonce, WOLFSSL_TICKET_IV_SZ) == 0 &&
                      keys->seal(content, seal);
  return sealed ? WOLFSSL_TICKET_RET_OK : WOLFSSL_TICKET_RET_FATAL;
}

}  // namespace breakwater::tls
