// PushBody: the body of a push, made piece by piece while it is sent: the command, and a pack of fresh
// commits, one at a time (git/synthetic_commit.h). Everything follows from the seed, so it is gone through
// twice, the first time for the name of the last commit, which the command says; memory: one commit's
// objects.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "client/exchange.h"
#include "git/object_id.h"
#include "git/pack_writer.h"
#include "git/requests.h"
#include "git/synthetic_commit.h"

namespace breakwater::storm {

class PushBody : public BodySource {
 public:
  struct Wanted {
    uint64_t seed = 0;
    uint32_t commits = 1;
    uint64_t bytes = 0;  // of each commit's blob
    ObjectId parent;     // zero: none
    ObjectId from;       // what the ref is now; zero: nothing
    HashKind hash = HashKind::sha1;
    std::string_view ref, agent;
    // What the server can, as of PushRequest.
    bool server_reports_v2 = true, server_quiets = true, server_names_hash = true;
  };
  explicit PushBody(const Wanted& wanted);

  const ObjectId& tip() const noexcept { return tip_; }
  uint64_t bytes() const noexcept { return bytes_; }  // of all of it
  uint64_t pack_bytes() const noexcept { return bytes_ - command_.size(); }
  uint32_t objects() const noexcept { return wanted_.commits * 3; }

  std::string_view next() override;
  void rewind() noexcept;
  std::string all();  // of it, from its beginning

 private:
  MadeCommits make_next();

  const Wanted wanted_;
  std::string command_;
  ObjectId tip_;
  uint64_t bytes_ = 0;
  uint32_t made_ = 0;  // commits
  ObjectId last_;
  bool ended_ = false;
  std::string piece_;
  std::optional<PackWriter> pack_;
};

}  // namespace breakwater::storm
