// The beginning of what Git does with a server: the advertisement, and with protocol v2 the question for
// refs.
#pragma once

#include <string_view>
#include <vector>

#include "client/job.h"
#include "client/remote.h"
#include "coro/task.h"
#include "git/advertisement.h"

namespace breakwater::storm {

struct Advertised {
  uint8_t version = 0;
  HashKind hash = HashKind::sha1;
  Capabilities capabilities;
};

// Who hears of refs; the context outlives the call.
struct RefListener {
  OnRef on_ref;
  void* context;
};

// They suspend. GET info/refs of a service: before v2 it tells of refs.
Task<Failure> read_advertisement(Job& job, Remote& remote, RequestKind kind, RefListener listener,
                                 Advertised& advertised);
// v2's ls-refs.
Task<Failure> read_refs(Job& job, Remote& remote, const Advertised& advertised,
                        const std::vector<std::string>& prefixes, RefListener listener);
// A POST git-upload-pack, compressed as git does it.
Task<Failure> ask_upload_pack(Remote& remote, std::string body, Sink& sink);

}  // namespace breakwater::storm
