#include "client/push_body.h"

#include <algorithm>
#include <utility>

#include "client/runner.h"
#include "git/synthetic_commit.h"

namespace breakwater::storm {

PushBody::PushBody(const Wanted& wanted) : wanted_(wanted), last_(wanted.parent) {
  bytes_ = pack_header_bytes + bytes_of(wanted.hash);
  while (made_ < wanted_.commits) {
    const MadeCommits made = make_next();
    for (const Object& object : made.objects) bytes_ += stored_entry_bytes(object.content.size());
  }
  tip_ = last_;
  command_ = write(PushRequest{.agent = wanted_.agent,
                               .hash = wanted_.hash,
                               .from = wanted_.from,
                               .to = tip_,
                               .ref = wanted_.ref,
                               .server_reports_v2 = wanted_.server_reports_v2,
                               .server_quiets = wanted_.server_quiets,
                               .server_names_hash = wanted_.server_names_hash});
  bytes_ += command_.size();
  rewind();
}

void PushBody::rewind() noexcept {
  made_ = 0;
  last_ = wanted_.parent;
  ended_ = false;
  pack_.reset();
}

MadeCommits PushBody::make_next() {
  SyntheticCommits one{.seed = mix(wanted_.seed, made_),
                       .commits = 1,
                       .bytes = wanted_.bytes,
                       .seconds = SyntheticCommits().seconds + made_,
                       .kind = wanted_.hash};
  if (!last_.is_zero()) one.parent = last_;
  MadeCommits made = make_commits(one);
  ++made_;
  last_ = made.tip();
  return made;
}

std::string_view PushBody::next() {
  piece_.clear();
  if (ended_) return {};
  if (!pack_) {
    piece_ = command_;
    pack_.emplace(piece_, objects(), wanted_.hash);
    return piece_;
  }
  if (made_ < wanted_.commits) {
    const MadeCommits made = make_next();
    for (const Object& object : made.objects) pack_->add(object);
    return piece_;
  }
  pack_->finish();
  ended_ = true;
  return piece_;
}

std::string PushBody::all() {
  rewind();
  std::string body;
  for (std::string_view piece = next(); !piece.empty(); piece = next()) body += piece;
  return body;
}

}  // namespace breakwater::storm
