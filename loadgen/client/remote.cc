#include "client/remote.h"

#include <utility>

namespace breakwater::storm {

namespace {

constexpr uint8_t redirects_max = 20;  // http.c: CURLOPT_MAXREDIRS

std::string_view tail_of(RequestKind kind) {
  return kind == RequestKind::push_refs ? "/info/refs?service=git-receive-pack"
                                        : "/info/refs?service=git-upload-pack";
}

bool asks_for_refs(RequestKind kind) {
  return kind == RequestKind::fetch_refs || kind == RequestKind::push_refs;
}

bool is_get(RequestKind kind) {
  return asks_for_refs(kind) || kind == RequestKind::dumb_file || kind == RequestKind::dumb_object ||
         kind == RequestKind::lfs_object || kind == RequestKind::page;
}

}  // namespace

Remote::Remote(Job& job)
    : job_(job),
      connection_(job.runner.connection),
      profile_(profile_of(job.operation.client)),
      exchange_(job.core, connection_),
      path_(job.plan.scenario.target.prefix + job.repository()),
      redirects_left_(redirects_max) {
  const Authentication authentication = job.plan.scenario.target.authentication;
  shows_credentials_ = authentication == Authentication::basic || authentication == Authentication::bearer ||
                       (authentication == Authentication::challenge && profile_.extra_header);
}

Remote::Remote(const Remote& first, Connection& connection)
    : job_(first.job_),
      connection_(connection),
      profile_(first.profile_),
      exchange_(job_.core, connection_),
      path_(first.path_),
      shows_credentials_(first.shows_credentials_),
      redirects_left_(first.redirects_left_) {}

Remote::~Remote() {
  connection_.close();
}

std::string_view Remote::authorization() const noexcept {
  if (!shows_credentials_) return {};
  const Site& site = job_.plan.site;
  return job_.plan.scenario.target.authentication == Authentication::bearer ? site.bearer : site.basic;
}

bool Remote::may_answer_challenge() const noexcept {
  return job_.plan.scenario.target.authentication != Authentication::none && !shows_credentials_ &&
         answer_.offers_basic;
}

// Empty: it does not fit.
std::string Remote::head_of(const Asked& asked) {
  RequestParts parts{.authority = job_.plan.site.authority,
                     .path = path_,
                     .rest = asked.rest,
                     .protocol = job_.operation.protocol,
                     .authorization = asked.authorization.empty() ? authorization() : asked.authorization,
                     .body_bytes = asked.body.size(),
                     .chunked = asked.pieces != nullptr,
                     .gzip = asked.gzip};
  const std::span<char> room = job_.core.look_room();
  return {room.data(), write_request_head(profile_, asked.kind, parts, room)};
}

Task<Failure> Remote::ask(const Asked& asked, Sink& sink) {
  for (;;) {
    const std::string head = head_of(asked);
    if (head.empty()) co_return job_.fail(Failure::local, "the head of the request is too large");
    Message message{is_get(asked.kind) ? wire::Method::get : wire::Method::post, head, asked.body,
                    asked.pieces};
    Connection::Times times;
    job_.outcome.requests++;
    const Failure failure = co_await exchange_.perform(message, sink, answer_, times);
    note(times);
    if (failure != Failure::none) co_return job_.fail(failure, exchange_.why());
    if (answer_.status == 200) co_return Failure::none;
    if (answer_.status == 401 && may_answer_challenge() && asked.pieces == nullptr) {
      shows_credentials_ = true;
      job_.mark_now(Phase::challenge);
      continue;
    }
    if (asks_for_refs(asked.kind) && redirects_left_ > 0 && follow(answer_.location, asked.kind)) {
      --redirects_left_;
      continue;
    }
    co_return fail_by_status(head);
  }
}

// "404 for GET /team/app.git/info/refs?service=git-upload-pack".
Failure Remote::fail_by_status(std::string_view head) {
  const std::string_view line = head.substr(0, head.find(" HTTP/"));
  job_.words = std::to_string(answer_.status) + " for " + std::string(line);
  if (!answer_.location.empty()) job_.words += ", which leads to " + answer_.location + ": not followed";
  return answer_.retry_after ? Failure::refused : Failure::status;
}

void Remote::note(const Connection::Times& times) noexcept {
  job_.mark(Phase::connect, times.connected_ns);
  job_.mark(Phase::tls, times.secured_ns);
  job_.mark_last(Phase::first_byte, answer_.first_byte_ns);
  if (answer_.status != 0) job_.outcome.status = answer_.status;
}

// True: the repository is at another path from now on (http.c: update_url_from_redirect).
bool Remote::follow(std::string_view location, RequestKind kind) {
  location = job_.plan.site.path_of(location);
  if (location.empty() || location.starts_with("//") || !location.ends_with(tail_of(kind))) return false;
  location.remove_suffix(tail_of(kind).size());
  if (location.size() > request_head_bytes_max / 2) return false;
  path_ = location;
  return true;
}

}  // namespace breakwater::storm
