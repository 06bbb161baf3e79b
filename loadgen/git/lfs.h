// The batch API of Git LFS, as far as a download needs it (git-lfs: docs/api/batch.md, basic-transfers.md).
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace breakwater::storm {

inline constexpr std::string_view lfs_type = "application/vnd.git-lfs+json";

struct LfsObject {
  std::string oid;  // 64 hex digits: the SHA-256 of its content
  uint64_t bytes = 0;
};

// The body of POST info/lfs/objects/batch.
std::string write_lfs_batch(const std::vector<LfsObject>& objects, std::string_view ref);

struct LfsDownload {
  LfsObject object;
  std::string href;
  std::vector<std::pair<std::string, std::string>> header;  // to be sent along
};
inline constexpr size_t lfs_answer_bytes_max = 256 * 1024;
inline constexpr size_t lfs_objects_max = 1000;
// What may be downloaded, or a sentence: it is no such answer, or an object is not there. What is to become
// part of a request's head, href and header, has no control bytes.
std::expected<std::vector<LfsDownload>, std::string> read_lfs_batch(std::string_view json);

}  // namespace breakwater::storm
