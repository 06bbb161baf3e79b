// Remote: the repository as one process of the client talks to it: requests with that client's fields, over
// one connection that is kept until the process ends, credentials as it shows them, redirects as it follows
// them. A process that has several connections at once has one of these for each.
//
// Followed is what git follows (http.followRedirects=initial): a redirect of info/refs to another path of the
// same server, which then is where the repository is. One to another server is not followed: a storm goes
// only where it was sent. A 401 is answered once with credentials, if there are any; they go with all
// requests of the process then.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "client/exchange.h"
#include "client/job.h"
#include "plan/profile.h"

namespace breakwater::storm {

class Remote {
 public:
  explicit Remote(Job& job);
  // Another connection of the same process, which has learnt what `first` has.
  Remote(const Remote& first, Connection& connection);
  ~Remote();  // the process ends, and its connection is closed
  Remote(const Remote&) = delete;
  Remote& operator=(const Remote&) = delete;

  struct Asked {
    RequestKind kind = RequestKind::fetch_refs;
    std::string_view rest;           // behind the repository's path
    std::string_view body;           // of a POST
    bool gzip = false;               // `body` is compressed
    BodySource* pieces = nullptr;    // instead of `body`
    std::string_view authorization;  // instead of our own; for what another answer said
  };
  // Suspends; what is named stays in place. Failure::none: a 200, and all of its payload went to the sink, or
  // the sink had enough, which was_cut() tells. Otherwise the job's words say what happened.
  Task<Failure> ask(const Asked& asked, Sink& sink);

  bool was_cut() const noexcept { return answer_.was_cut; }
  bool is_dumb() const noexcept {
    return answer_.is_dumb;
  }  // the last answer is none of Git's smart protocol
  const Profile& profile() const noexcept { return profile_; }

 private:
  std::string head_of(const Asked& asked);
  Failure fail_by_status(std::string_view head);
  std::string_view authorization() const noexcept;
  bool may_answer_challenge() const noexcept;
  bool follow(std::string_view location, RequestKind kind);
  void note(const Connection::Times& times) noexcept;

  Job& job_;
  Connection& connection_;
  const Profile& profile_;
  Exchange exchange_;
  Answer answer_;
  std::string path_;  // with the target's prefix
  bool shows_credentials_ = false;
  uint8_t redirects_left_;
};

}  // namespace breakwater::storm
