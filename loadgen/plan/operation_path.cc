#include "plan/operation_path.h"

#include <algorithm>

#include "plan/scenario_schema.h"

namespace breakwater::storm {

namespace {

bool is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

// "OID:BYTES,OID:BYTES", by SHA-256.
bool is_list_of_lfs_objects(std::string_view list) {
  constexpr size_t oid_letters = 64, digits_max = 18;
  while (true) {
    const std::string_view one = list.substr(0, list.find(','));
    if (one.size() < oid_letters + 2 || one.size() > oid_letters + 1 + digits_max || one[oid_letters] != ':')
      return false;
    const std::string_view bytes = one.substr(oid_letters + 1);
    if (!std::ranges::all_of(one.substr(0, oid_letters), is_hex)) return false;
    if (bytes.find_first_not_of("0123456789") != std::string_view::npos) return false;
    if (one.size() == list.size()) return true;
    list.remove_prefix(one.size() + 1);
  }
}

}  // namespace

std::string why_no_path(Verb verb, std::string_view path) {
  if (verb == Verb::lfs && !is_list_of_lfs_objects(path)) return "it is no list of LFS objects";
  if (verb == Verb::page && (!path.starts_with('/') || path.size() > text_bytes_max))
    return "it has to begin with a slash, and have at most " + std::to_string(text_bytes_max) + " bytes";
  return {};
}

}  // namespace breakwater::storm
