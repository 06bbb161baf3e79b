// What runners do, one coroutine for each kind of operation. Each fills in its job's Outcome: the phases as
// they are reached, bytes, requests, and the first failure.
//
// Where a real client knows something that we don't, this is what happens instead:
// - fetch_object: the id is the operation's `ref` if that is one, the commit of the push that is followed, or
//   else the tip of HEAD, which a core asks for once for each repository (with a request more).
// - a blobless clone's checkout asks for blobs of the trees at the beginning of the pack, which are those of
//   its tip, in the order of that tree; a core looks for them in the first such pack of a repository.
// - lfs: the objects are named by the operation's `path`: "OID:BYTES" and more of them behind commas; a real
//   client finds them in pointer files of its checkout. Each of the connections that it downloads by goes on
//   with an object of its own; a real client's may change hands.
// - a fetch without a local copy is a fetch into an empty repository.
#pragma once

#include "client/job.h"
#include "coro/task.h"
#include "measure/outcome.h"

namespace breakwater::storm {

// Suspends until it is done, or has failed, in as many tries as the operation or its client has. `outcome`
// has its beginning; all but its end is filled in.
Task<void> perform_tries(Job& job);

// One try each. They suspend.
Task<Failure> list_refs(Job& job);      // ls_remote
Task<Failure> fetch_history(Job& job);  // clone, fetch, tags
Task<Failure> fetch_one(Job& job);      // fetch_object
Task<Failure> push_commits(Job& job);   // push
Task<Failure> download_lfs(Job& job);   // lfs
Task<Failure> read_files(Job& job);     // dumb
Task<Failure> read_page(Job& job);      // page

}  // namespace breakwater::storm
