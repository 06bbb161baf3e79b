// What every page of stormgen's has: one file that loads nothing and runs nothing, light or dark as the
// reader's system is, readable on paper. And the one way in which foreign text comes into it. Pure.
#pragma once

#include <string>
#include <string_view>

namespace breakwater::storm {

// Text as HTML, between tags and in attributes. Bytes that are no UTF-8, and characters that a terminal or a
// page would not show, become U+FFFD.
std::string escaped(std::string_view text);

// `title` is escaped here; `body` is HTML.
std::string page(std::string_view title, std::string_view body);

}  // namespace breakwater::storm
