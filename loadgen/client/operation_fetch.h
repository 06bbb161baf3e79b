// A pack: the question for it, in as many rounds as the protocol needs, and its check as it comes.
#pragma once

#include <string>

#include "client/job.h"
#include "client/operation_refs.h"
#include "client/remote.h"
#include "coro/task.h"
#include "git/requests.h"

namespace breakwater::storm {

// What is to be learnt of a pack besides its soundness.
struct PackListener {
  bool looks_for_tip = true;  // what is wanted first is a commit or a tag, and must be there
  static constexpr size_t beginning_max = 1024 * 1024;
  bool wants_beginning = false;
  std::string beginning;  // at most so much of it
};

// Suspends. `request.wants` is not empty; On success it was whole, or
// the runner has vanished (outcome.vanished).
Task<Failure> fetch_pack(Job& job, Remote& remote, FetchRequest request, PackListener& listener);

// The request for what an operation wants, as this server can give it.
FetchRequest fetch_request(const Job& job, const Remote& remote, const Advertised& advertised);

}  // namespace breakwater::storm
