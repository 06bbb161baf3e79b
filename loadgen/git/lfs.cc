#include "git/lfs.h"

#include <nlohmann/json.hpp>

namespace breakwater::storm {

using nlohmann::json;

std::string write_lfs_batch(const std::vector<LfsObject>& objects, std::string_view ref) {
  json body = {{"operation", "download"},
               {"objects", json::array()},
               {"transfers", {"basic"}},
               {"hash_algo", "sha256"}};
  if (!ref.empty()) body["ref"] = {{"name", ref}};
  for (const LfsObject& object : objects)
    body["objects"].push_back({{"oid", object.oid}, {"size", object.bytes}});
  return body.dump();
}

namespace {

const json* member(const json& object, const char* name) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(name);
  return found == object.end() ? nullptr : &*found;
}

std::string text_of(const json* value) {
  return value != nullptr && value->is_string() ? value->get<std::string>() : std::string();
}

std::expected<LfsDownload, std::string> read_object(const json& each) {
  LfsDownload download;
  download.object.oid = text_of(member(each, "oid"));
  const json* const size = member(each, "size");
  if (download.object.oid.empty() || size == nullptr || !size->is_number_unsigned())
    return std::unexpected("an object without its oid or size");
  download.object.bytes = size->get<uint64_t>();
  if (const json* const error = member(each, "error"); error != nullptr)
    return std::unexpected("object " + download.object.oid.substr(0, 12) + ": " +
                           text_of(member(*error, "message")));
  const json* const actions = member(each, "actions");
  const json* const action = actions != nullptr ? member(*actions, "download") : nullptr;
  if (action != nullptr) download.href = text_of(member(*action, "href"));
  if (download.href.empty()) return std::unexpected("an object that can't be downloaded");
  const json* const header = member(*action, "header");
  if (header != nullptr && header->is_object())
    for (const auto& [name, value] : header->items()) download.header.emplace_back(name, text_of(&value));
  return download;
}

}  // namespace

std::expected<std::vector<LfsDownload>, std::string> read_lfs_batch(std::string_view text) {
  if (text.size() > lfs_answer_bytes_max) return std::unexpected("an answer that is too long");
  const json body = json::parse(text, nullptr, false);
  const json* const objects = member(body, "objects");
  if (objects == nullptr || !objects->is_array()) return std::unexpected("no JSON with a list of objects");
  if (objects->size() > lfs_objects_max) return std::unexpected("too many objects");
  std::vector<LfsDownload> downloads;
  for (const json& each : *objects) {
    std::expected<LfsDownload, std::string> read = read_object(each);
    if (!read) return std::unexpected(std::move(read.error()));
    downloads.push_back(std::move(*read));
  }
  return downloads;
}

}  // namespace breakwater::storm
