#include "origin/answer.h"

#include <optional>
#include <string>

#include "base/parse_number.h"
#include "wire/http_write.h"
#include "wire/pkt_line.h"
#include "wire/uri.h"

namespace breakwater::storm::origin {

namespace {

// As git-http-backend(1) has it.
constexpr std::string_view never_cache =
    "Expires: Fri, 01 Jan 1980 00:00:00 GMT\r\nPragma: no-cache\r\n"
    "Cache-Control: no-cache, max-age=0, must-revalidate\r\n";

uint8_t protocol_of(std::string_view field) noexcept {
  while (!field.empty()) {
    const std::string_view pair = field.substr(0, field.find(':'));
    field.remove_prefix(std::min(field.size(), pair.size() + 1));
    if (pair == "version=2") return 2;
    if (pair == "version=1") return 1;
  }
  return 0;
}

// "repository-17.git/..." or without ".git": the repository, and what is behind its name.
SyntheticRepository* find_repository(Site& site, std::string_view path, std::string_view& rest) noexcept {
  constexpr std::string_view prefix = "/repository-";
  if (!path.starts_with(prefix)) return nullptr;
  const std::string_view behind = path.substr(prefix.size());
  const size_t slash = behind.find('/');
  std::string_view number = behind.substr(0, slash);
  rest = slash == std::string_view::npos ? std::string_view() : behind.substr(slash);
  if (number.ends_with(".git")) number.remove_suffix(4);
  size_t index = 0;
  const bool is_there = parse_number(number, index) && index < site.repositories.size();
  return is_there ? site.repositories[index].get() : nullptr;
}

Reply not_found(Site& site) {
  site.counts.not_found++;
  return text_reply(404, "there is no such repository or page\n");
}

Reply wrong_method(std::string_view allowed) {
  return text_reply(405, "not with this method\n", "Allow: " + std::string(allowed) + "\r\n");
}

Reply answer_git(const Ask& ask, std::string_view rest, bool is_read) {
  const bool is_post = ask.request.head.method == wire::Method::post;
  if (rest == "/info/refs" && is_read) {
    const auto service = wire::query_value(ask.request.query, "service");
    return service ? answer_advertisement(ask, *service) : answer_dumb(ask, rest.substr(1));
  }
  if (rest == "/git-upload-pack") return is_post ? answer_upload_pack(ask) : wrong_method("POST");
  if (rest == "/git-receive-pack") return is_post ? answer_receive_pack(ask) : wrong_method("POST");
  if (rest == "/info/lfs/objects/batch") return is_post ? answer_lfs_batch(ask) : wrong_method("POST");
  constexpr std::string_view lfs_object = "/info/lfs/objects/";
  if (rest.starts_with(lfs_object)) return answer_lfs_object(ask, rest.substr(lfs_object.size()));
  if (!is_read) return wrong_method("GET, HEAD");
  if (rest == "/HEAD" || rest.starts_with("/objects/")) return answer_dumb(ask, rest.substr(1));
  return answer_page(ask, rest);
}

}  // namespace

Reply answer(Site& site, const Request& request) {
  site.counts.requests++;
  const wire::Method method = request.head.method;
  const bool is_read = method == wire::Method::get || method == wire::Method::head;
  if (request.path == "/healthz" && is_read) return text_reply(200, "ok\n");
  if (!site.authorization.empty() && request.head.fields.find("Authorization") != site.authorization) {
    site.counts.challenges++;
    return text_reply(401, "who are you?\n", "WWW-Authenticate: Basic realm=\"storm\"\r\n");
  }
  if (request.path == "/" && is_read)
    return text_reply(200,
                      std::to_string(site.repositories.size()) + " repositories: /repository-0.git ...\n");
  std::string_view rest;
  SyntheticRepository* const repository = find_repository(site, request.path, rest);
  if (repository == nullptr) return not_found(site);
  const Ask ask{site, *repository, request, protocol_of(request.head.fields.find("Git-Protocol"))};
  return answer_git(ask, rest, is_read);
}

Reply text_reply(uint16_t status, std::string text, std::string fields) {
  Reply reply;
  reply.status = status;
  reply.type = "text/plain; charset=utf-8";
  reply.fields = std::move(fields);
  reply.front = std::move(text);
  return reply;
}

Reply json_reply(uint16_t status, std::string text, std::string_view type) {
  Reply reply = text_reply(status, std::move(text));
  reply.type = type;
  return reply;
}

Reply git_reply(std::string_view type, std::string front) {
  Reply reply;
  reply.type = type;
  reply.fields = never_cache;
  reply.front = std::move(front);
  reply.is_streamed = true;
  return reply;
}

Reply git_error(std::string_view type, std::string_view sentence) {
  std::string line;
  append_line(line, "ERR " + std::string(sentence));
  return git_reply(type, std::move(line));
}

// Faults that take the place of the answer are done here; what breaks it on its way is for whoever sends.
bool fail(const Ask& ask, Place place, Reply& reply) {
  std::optional<Fault> fault = ask.site.faults.choose(ask.repository.name(), place);
  if (!fault) return false;
  const std::string type = reply.type;
  switch (fault->kind) {
    case FaultKind::error:
      reply = text_reply(fault->status, "a fault on cue\n");
      break;
    case FaultKind::busy:
      reply =
          text_reply(503, "a fault on cue\n", "Retry-After: " + std::to_string(fault->retry_after) + "\r\n");
      break;
    case FaultKind::err:
      reply = git_error(type, "a fault on cue");
      break;
    default:
      reply.fault = fault;
      return false;
  }
  ask.site.faults.given(*fault);
  return true;
}

}  // namespace breakwater::storm::origin
