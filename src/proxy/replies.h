// The replies we make ourselves: plain text that says what happened, on which side, what to do, and the
// request id. Git shows such a body to its user, each line behind "remote: ".
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/error.h"
#include "wire/http_fault.h"

namespace breakwater::proxy {

struct Reply {
  uint16_t status = 500;
  std::string_view sentence;       // what happened, without a full stop
  std::string_view advice;         // what to do next; may be empty
  uint32_t retry_after_s = 0;      // 0: no Retry-After
  std::string_view detail = {};    // what exactly is wrong, said behind the sentence
  std::string_view location = {};  // of a redirection
};

// The reply to a request whose bytes have this fault.
Reply reply_to(wire::Fault fault) noexcept;

// The reply for a failure of a side before any byte of an answer was sent.
Reply reply_to(const Error& error) noexcept;

// Writes the whole message. Returns its bytes; 0 if it does not fit.
size_t write_reply(const Reply& reply, std::string_view request_id, bool keep_alive, bool head_request,
                   std::span<char> out) noexcept;

}  // namespace breakwater::proxy
