// Whether a peer's word about the client is believed (listen.trusted).
#pragma once

#include <vector>

#include "config/config.h"
#include "ring/address.h"

namespace breakwater::proxy {

bool contains(const std::vector<config::Network>& networks, const Address& address) noexcept;

}  // namespace breakwater::proxy
