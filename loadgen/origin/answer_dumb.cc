// What a client without Git's protocol reads: files of a repository (gitprotocol-http(5), "Dumb Clients"),
// and web pages.
#include <optional>
#include <string>

#include "git/pack_writer.h"
#include "origin/answer.h"

namespace breakwater::storm::origin {

namespace {

std::string listed(const SyntheticRefs& refs) {
  std::string text;
  refs.for_each([&](const ServedRef& ref) {
    text += ref.id.hex() + "\t" + ref.name + "\n";
    if (!ref.peeled.is_zero()) text += ref.peeled.hex() + "\t" + ref.name + "^{}\n";
  });
  return text;
}

// "objects/ab/cdef...": the object as git keeps it in a file of its own.
std::optional<std::string> loose_object(const Ask& ask, std::string_view file) {
  constexpr std::string_view prefix = "objects/";
  if (!file.starts_with(prefix) || file.size() != prefix.size() + 41 || file[prefix.size() + 2] != '/')
    return std::nullopt;
  std::string digits(file.substr(prefix.size()));
  digits.erase(2, 1);
  const std::optional<ObjectId> id = ObjectId::parse(digits);
  const std::optional<Object> object = id ? ask.repository.object(*id) : std::nullopt;
  if (!object) return std::nullopt;
  std::string whole(name(object->type));
  whole += " " + std::to_string(object->content.size());
  whole += '\0';
  whole += object->content;
  std::string deflated;
  append_zlib(deflated, whole, stored);
  return deflated;
}

}  // namespace

Reply answer_dumb(const Ask& ask, std::string_view file) {
  ask.site.counts.dumb++;
  Reply reply = text_reply(200, {});
  if (fail(ask, file == "info/refs" ? Place::refs : Place::any, reply)) return reply;
  const bool stale = reply.fault && reply.fault->kind == FaultKind::stale;
  if (file == "HEAD") {
    reply.front = "ref: " + std::string(synthetic_head) + "\n";
  } else if (file == "info/refs") {
    reply.front = listed(*ask.repository.refs(stale));
    if (stale) ask.site.faults.given(*reply.fault);
  } else if (file == "objects/info/packs") {
    reply.front = "\n";  // every object has a file of its own
  } else if (std::optional<std::string> object = loose_object(ask, file)) {
    reply.type = "application/x-git-loose-object";
    reply.front = std::move(*object);
  } else {
    return text_reply(404, "there is no such file in this repository\n");
  }
  return reply;
}

Reply answer_page(const Ask& ask, std::string_view rest) {
  constexpr size_t refs_shown_max = 100;
  ask.site.counts.pages++;
  if (!rest.empty() && rest != "/" && !rest.starts_with("/src") && !rest.starts_with("/commits"))
    return text_reply(404, "there is no such page\n");
  std::string page = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>" +
                     ask.repository.name() + "</title>\n<h1>" + ask.repository.name() + "</h1>\n<ul>\n";
  size_t shown = 0;
  ask.repository.refs()->for_each([&](const ServedRef& ref) {
    if (shown++ < refs_shown_max) page += "<li><code>" + ref.id.hex() + "</code> " + ref.name + "</li>\n";
  });
  Reply reply = text_reply(200, page + "</ul></html>\n");
  reply.type = "text/html; charset=utf-8";
  return reply;
}

}  // namespace breakwater::storm::origin
