// Whose certificate a client showed, as servers are told: the value of X-Forwarded-Client-Cert, in the form
// that Envoy gave it. The field never passes as a client sent it (wire/field_rules.h). Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "tls/certificate.h"

namespace breakwater::proxy {

inline constexpr std::string_view client_certificate_field = "X-Forwarded-Client-Cert";

// Of limits.h's head_growth_bytes. What would not fit is left out.
inline constexpr size_t client_certificate_bytes_max = 2048;

// `Subject="/CN=runner 7";Serial="1005";URI="spiffe://ci/runner/7";DNS="runner7.example.com"`. What is no
// plain ASCII, and what could end a value, stands there as %XX.
std::string client_certificate_value(const tls::Certificate& certificate);

}  // namespace breakwater::proxy
