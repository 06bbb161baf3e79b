// What is no smart protocol of Git's: files of a repository as the dumb one reads them, and a page.
#include <string>

#include "client/beginning.h"
#include "client/operations.h"
#include "client/remote.h"

namespace breakwater::storm {

// info/refs, HEAD, and the object that the first ref names: loose if it is, or else the list of packs, as
// http-fetch of git goes on then.
Task<Failure> read_files(Job& job) {
  constexpr size_t refs_bytes_max = 4096;
  Remote remote(job);
  Beginning refs(refs_bytes_max);
  Remote::Asked asked{.kind = RequestKind::dumb_file, .rest = "/info/refs"};
  Failure failure = co_await remote.ask(asked, refs);
  if (failure != Failure::none) co_return failure;
  job.mark_now(Phase::advertisement);
  Dropped dropped;
  asked.rest = "/HEAD";
  failure = co_await remote.ask(asked, dropped);
  if (failure != Failure::none || refs.text.empty()) co_return failure;
  const std::optional<ObjectId> id =
      ObjectId::parse(std::string_view(refs.text).substr(0, refs.text.find('\t')));
  if (!id) co_return job.fail(Failure::git, "/info/refs does not begin with an object's name");
  const std::string name = id->hex();
  const std::string object = "/objects/" + name.substr(0, 2) + "/" + name.substr(2);
  asked = {.kind = RequestKind::dumb_object, .rest = object};
  failure = co_await remote.ask(asked, dropped);
  if (failure != Failure::status || job.outcome.status != 404) co_return failure;
  asked = {.kind = RequestKind::dumb_file, .rest = "/objects/info/packs"};
  failure = co_await remote.ask(asked, dropped);
  co_return failure;
}

Task<Failure> read_page(Job& job) {
  Remote remote(job);
  Dropped dropped;
  const Remote::Asked asked{.kind = RequestKind::page, .rest = job.operation.path};
  const Failure failure = co_await remote.ask(asked, dropped);
  co_return failure;
}

}  // namespace breakwater::storm
