#include "git/lfs.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace breakwater::storm {

using nlohmann::json;

// In the order of git-lfs 3.3 and with the transfers that it names, in any order; of these only `basic` is
// for HTTP.
std::string write_lfs_batch(const std::vector<LfsObject>& objects, std::string_view ref) {
  json named = json::array();
  for (const LfsObject& object : objects) named.push_back({{"oid", object.oid}, {"size", object.bytes}});
  json where = json::object();
  if (!ref.empty()) where["name"] = ref;
  return R"({"operation":"download","objects":)" + named.dump() +
         R"(,"transfers":["lfs-standalone-file","basic","ssh"],"ref":)" + where.dump() +
         R"(,"hash_algo":"sha256"})";
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

// These go into the head of a request as they are.
bool fits_in_a_head(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) { return (c >= 0 && c < 0x20) || c == 0x7f; });
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
  bool is_sane = fits_in_a_head(download.href) && download.href.find(' ') == std::string::npos;
  const json* const header = member(*action, "header");
  if (header != nullptr && header->is_object())
    for (const auto& [name, value] : header->items()) {
      download.header.emplace_back(name, text_of(&value));
      is_sane = is_sane && fits_in_a_head(name) && fits_in_a_head(download.header.back().second);
    }
  if (!is_sane) return std::unexpected("an address or a field that no request can have");
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
