// What the `path` of an operation may be: of `page` what comes behind the repository, of `lfs` its objects.
// Pure.
#pragma once

#include <string>
#include <string_view>

#include "plan/operation.h"

namespace breakwater::storm {

// Empty, or why this verb can't have it: "it is no list of LFS objects". Of other verbs there is nothing to
// say.
std::string why_no_path(Verb verb, std::string_view path);

}  // namespace breakwater::storm
