#include "client/operation_refs.h"

#include <utility>

#include "client/operations.h"
#include "client/reader_sink.h"
#include "git/refs_answer.h"
#include "git/requests.h"

namespace breakwater::storm {

Task<Failure> read_advertisement(Job& job, Remote& remote, RequestKind kind, RefListener listener,
                                 Advertised& advertised) {
  AdvertisementReader reader(listener.on_ref, listener.context);
  ReaderSink sink(job, reader);
  const Remote::Asked asked{.kind = kind};
  const Failure asking = co_await remote.ask(asked, sink);
  if (asking == Failure::none && remote.is_dumb())
    co_return job.fail(Failure::git, "an answer whose Content-Type is none of Git's smart protocol");
  const Failure failure = sink.finish(asking);
  if (failure != Failure::none) co_return failure;
  advertised.version = reader.version();
  advertised.hash = reader.hash();
  advertised.capabilities = reader.capabilities();
  job.mark_now(Phase::advertisement);
  co_return Failure::none;
}

Task<Failure> ask_upload_pack(Remote& remote, std::string body, Sink& sink) {
  const bool is_large = body.size() > gzip_bytes_min;
  if (is_large) body = gzipped(body);
  const Remote::Asked asked{.kind = RequestKind::upload_pack, .body = body, .gzip = is_large};
  const Failure failure = co_await remote.ask(asked, sink);
  co_return failure;
}

Task<Failure> read_refs(Job& job, Remote& remote, const Advertised& advertised,
                        const std::vector<std::string>& prefixes, RefListener listener) {
  RefsRequest request{.agent = remote.profile().agent,
                      .hash = advertised.hash,
                      .prefixes = {prefixes.begin(), prefixes.end()}};
  RefsAnswerReader reader(listener.on_ref, listener.context);
  ReaderSink sink(job, reader);
  std::string body = write(request);
  const Failure asking = co_await ask_upload_pack(remote, std::move(body), sink);
  const Failure failure = sink.finish(asking);
  if (failure == Failure::none) job.mark_now(Phase::refs);
  co_return failure;
}

namespace {
void learn_head(void* known, const Ref& ref) {
  if (ref.name == "HEAD") static_cast<KnownObjects*>(known)->tip = ref.id;
}
}  // namespace

Task<Failure> list_refs(Job& job) {
  Remote remote(job);
  const RefListener listener{learn_head, &job.known};
  Advertised advertised;
  Failure failure = co_await read_advertisement(job, remote, RequestKind::fetch_refs, listener, advertised);
  if (failure != Failure::none || advertised.version != 2) co_return failure;
  const std::vector<std::string> prefixes = ref_prefixes(remote.profile(), job.operation);
  failure = co_await read_refs(job, remote, advertised, prefixes, listener);
  co_return failure;
}

}  // namespace breakwater::storm
