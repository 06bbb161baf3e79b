// Is Git alive behind a 200? Its servers answer 200 before they have asked Git anything, so what Git had to
// say of its failure stands in the body: an ERR line, nothing at all behind the service's name, or a web page
// where refs should be (gitprotocol-http(5), gitprotocol-pack(5), gitprotocol-v2(5)). Pure; no allocation.
#pragma once

#include <cstdint>
#include <string_view>

#include "wire/git_service.h"
#include "wire/http_head.h"

namespace breakwater::wire {

enum class GitAnswer : uint8_t {
  fine,         // as far as its beginning tells
  undecided,    // too little of it is there
  not_git,      // a web page, or anything else that is not what was asked for
  error,        // ERR and what Git says
  not_our_ref,  // ERR, because this server does not have (or no longer has) what is wanted
  empty,  // it ends in its first words: an advertisement before its first ref, or within its capabilities
};

// Of a 200 to an info/refs?service= or an upload-pack request. `body` is what is there of it, in the framing
// that the head says; undecided only while more may come.
enum class Behind : uint8_t {
  more,     // may come
  unknown,  // whatever comes will not be looked at
  nothing,  // the connection has ended
};
GitAnswer judge_git_answer(GitOperation operation, const ResponseHead& head, std::string_view body,
                           Behind behind = Behind::more) noexcept;

// Does the head say that what follows is Git's answer to `operation`, an advertisement or upload_pack?
bool has_type_of(GitOperation operation, const ResponseHead& head) noexcept;

std::string_view describe(GitAnswer answer) noexcept;

}  // namespace breakwater::wire
