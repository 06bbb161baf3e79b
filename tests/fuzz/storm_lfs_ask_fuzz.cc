// Batch requests of LFS, as the origin reads them: what is taken lies within its bounds, names objects by
// their hash, and is the same when the client's own writer writes it again; what is refused has a status and
// a sentence.
#include <algorithm>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "origin/lfs_ask.h"

using namespace breakwater::storm;
using namespace breakwater::storm::origin;

namespace {

bool is_same(const LfsAsk& one, const LfsAsk& other) {
  return one.is_upload == other.is_upload &&
         std::ranges::equal(one.objects, other.objects, [](const LfsObject& a, const LfsObject& b) {
           return a.oid == b.oid && a.bytes == b.bytes;
         });
}

void check_refused(std::string_view body) {
  const auto ask = read_lfs_ask(body);
  BW_ASSERT(!ask);
  BW_ASSERT((ask.error().status == 422 || ask.error().status == 413) && !ask.error().sentence.empty());
}

std::string write(const LfsAsk& ask) {
  std::string body = write_lfs_batch(ask.objects, "refs/heads/main");
  constexpr std::string_view download = "download";
  if (ask.is_upload) body.replace(body.find(download), download.size(), "upload");
  return body;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string body(reinterpret_cast<const char*>(data), size);
  const auto ask = read_lfs_ask(body);
  if (!ask) {
    check_refused(body);
    return 0;
  }
  BW_ASSERT(ask->objects.size() <= lfs_objects_max);
  for (const LfsObject& object : ask->objects)
    BW_ASSERT(object.oid.size() == 64 &&
              object.oid.find_first_not_of("0123456789abcdef") == std::string::npos);
  const auto again = read_lfs_ask(write(*ask));
  BW_ASSERT(again && is_same(*again, *ask));
  const std::string open = body.substr(0, body.rfind('}'));
  check_refused(open);
  for (const char* const more : {"x", "{}", ",", "}"}) check_refused(body + more);
  check_refused(body + std::string(1, '\0'));
  check_refused("[" + body + "]");
  return 0;
}
