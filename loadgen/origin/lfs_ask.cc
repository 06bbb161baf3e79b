#include "origin/lfs_ask.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "git/object_id.h"

namespace breakwater::storm::origin {

namespace {

// Not ordered_json: that looks through all keys for each, of which there may be very many.
using nlohmann::json;

const json* member(const json& object, const char* name) {
  const auto found = object.find(name);
  return found == object.end() ? nullptr : &*found;
}

std::optional<LfsObject> read_object(const json& each) {
  const json* const oid = member(each, "oid");
  const json* const size = member(each, "size");
  if (oid == nullptr || !oid->is_string() || size == nullptr || !size->is_number_unsigned())
    return std::nullopt;
  const std::string& name = oid->get_ref<const std::string&>();
  const std::optional<ObjectId> id = ObjectId::parse(name);
  if (!id || id->kind != HashKind::sha256) return std::nullopt;
  return LfsObject{name, size->get<uint64_t>()};
}

std::unexpected<LfsFault> refuse(uint16_t status, std::string_view sentence) {
  return std::unexpected(LfsFault{status, sentence});
}

}  // namespace

// Nothing of what was parsed is copied: it may be nested deeper than a stack holds. Behind a NUL the parser
// does not look.
std::expected<LfsAsk, LfsFault> read_lfs_ask(std::string_view body) {
  const json asked = json::parse(body, nullptr, false);
  const json* const objects = member(asked, "objects");
  if (objects == nullptr || !objects->is_array() || body.find('\0') != std::string_view::npos)
    return refuse(422, "this is no batch request");
  const json* const operation = member(asked, "operation");
  LfsAsk ask;
  ask.is_upload = operation != nullptr && *operation == "upload";
  if (!ask.is_upload && (operation == nullptr || *operation != "download"))
    return refuse(422, "the operation is neither download nor upload");
  if (objects->size() > lfs_objects_max) return refuse(413, "too many objects");
  for (const json& each : *objects) {
    std::optional<LfsObject> object = read_object(each);
    if (!object) return refuse(422, "an object has no oid, which is a SHA-256, or no size");
    ask.objects.push_back(std::move(*object));
  }
  return ask;
}

}  // namespace breakwater::storm::origin
