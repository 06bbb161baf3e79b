// What is posted to info/lfs/objects/batch: which objects are to be down- or uploaded (docs/api/batch.md of
// git-lfs). Pure.
#pragma once

#include <cstdint>
#include <expected>
#include <string_view>
#include <vector>

#include "git/lfs.h"

namespace breakwater::storm::origin {

struct LfsAsk {
  bool is_upload = false;
  std::vector<LfsObject> objects;  // at most lfs_objects_max; each oid is a SHA-256 in hex
};

struct LfsFault {
  uint16_t status = 0;
  std::string_view sentence;
};

std::expected<LfsAsk, LfsFault> read_lfs_ask(std::string_view body);

}  // namespace breakwater::storm::origin
