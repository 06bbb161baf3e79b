// Git LFS: the batch request (lfs_ask.h) and the objects themselves (docs/api/batch.md and
// basic-transfers.md of git-lfs).
//
// Which objects there are stands in the tree of a repository as pointer files, as always; beside these GET
// info/lfs/objects/ lists them, which is ours. What is uploaded is checked, counted, and not kept.
#include <expected>
#include <string>

#include <nlohmann/json.hpp>

#include "git/digest.h"
#include "git/synthetic_commit.h"
#include "origin/answer.h"
#include "origin/lfs_ask.h"

namespace breakwater::storm::origin {

namespace {

using Json = nlohmann::ordered_json;

const SyntheticLfsObject* find(const SyntheticContent& content, std::string_view name) noexcept {
  for (const SyntheticLfsObject& object : content.lfs()) {
    if (object.name == name) return &object;
  }
  return nullptr;
}

Reply lfs_error(uint16_t status, std::string_view message) {
  return json_reply(status, Json{{"message", message}}.dump() + "\n", lfs_type);
}

std::string href(const Ask& ask, const std::string& name) {
  return (ask.request.is_secure ? "https://" : "http://") + std::string(ask.request.head.authority) + "/" +
         ask.repository.name() + "/info/lfs/objects/" + name;
}

// What a client asks for becomes what it may do.
Json offer(const Ask& ask, const LfsObject& asked, bool is_upload) {
  Json object = {{"oid", asked.oid}, {"size", asked.bytes}};
  const SyntheticLfsObject* const known = find(ask.repository.content(), asked.oid);
  const auto add_action = [&](const char* action) {
    object["authenticated"] = true;
    object["actions"] = {{action, {{"href", href(ask, asked.oid)}}}};
  };
  if (is_upload) {
    if (known == nullptr) add_action("upload");  // without actions: it is there already
  } else if (known != nullptr) {
    add_action("download");
  } else {
    object["error"] = {{"code", 404}, {"message", "there is no such object"}};
  }
  return object;
}

std::string hash_of(std::string_view content) {
  Digest digest(HashKind::sha256);
  digest.add(content);
  return digest.finish().hex();
}

}  // namespace

Reply answer_lfs_batch(const Ask& ask) {
  ask.site.counts.lfs++;
  const std::expected<LfsAsk, LfsFault> asked = read_lfs_ask(ask.request.body);
  if (!asked) return lfs_error(asked.error().status, asked.error().sentence);
  Json objects = Json::array();
  for (const LfsObject& object : asked->objects) objects.push_back(offer(ask, object, asked->is_upload));
  const Json answer = {{"transfer", "basic"}, {"objects", std::move(objects)}, {"hash_algo", "sha256"}};
  return json_reply(200, answer.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n", lfs_type);
}

Reply answer_lfs_object(const Ask& ask, std::string_view name) {
  ask.site.counts.lfs++;
  const SyntheticContent& content = ask.repository.content();
  if (ask.request.head.method == wire::Method::put) {
    const bool is_right = hash_of(ask.request.body) == name;
    return is_right ? text_reply(200, {}) : lfs_error(422, "the content is not what its name says");
  }
  if (name.empty()) {
    Json list = Json::array();
    for (const SyntheticLfsObject& object : content.lfs())
      list.push_back({{"oid", object.name}, {"size", object.bytes}});
    return json_reply(200, list.dump() + "\n");
  }
  const SyntheticLfsObject* const object = find(content, name);
  if (object == nullptr) return lfs_error(404, "there is no such object");
  Reply reply = text_reply(200, {});
  reply.type = "application/octet-stream";
  if (fail(ask, Place::any, reply)) return reply;
  reply.shared =
      ask.site.texts.get("lfs " + object->name, [&] { return noise(object->seed, object->bytes); });
  return reply;
}

}  // namespace breakwater::storm::origin
