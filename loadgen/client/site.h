// Site: the target of a storm, ready to be used from every core: its address, what is said in Host and in
// Authorization, and how TLS is spoken. Made once, before the first core runs, then only read.
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <string_view>

#include "plan/scenario.h"
#include "ring/address.h"
#include "tls/context.h"

namespace breakwater::storm {

struct Site {
  Address address;
  std::string authority;                          // for Host: without the port that the scheme implies
  std::string basic, bearer;                      // for Authorization, whole; empty: nothing to say
  std::shared_ptr<const tls::ClientContext> tls;  // null: plain
  std::string tls_name;                           // the certificate is for it

  // The path of a URL, or of a place on this server as answers name it. Empty: it is on another one.
  std::string_view path_of(std::string_view url) const;
};

// Looks the name up and reads the authorities' file, so it may block. Otherwise a sentence that says why not.
// The first address counts: one storm goes to one place.
std::expected<Site, std::string> make_site(const Target& target);

}  // namespace breakwater::storm
