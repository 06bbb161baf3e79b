// Packs that somebody pushed: whatever is in them, what comes out has the name that its bytes give it. The
// hash at the end is put right here, or nothing would get past it.
#include <string>
#include <string_view>

#include "base/assert.h"
#include "git/digest.h"
#include "origin/received_pack.h"

using namespace breakwater::storm;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string pack(reinterpret_cast<const char*>(data), size);
  Digest digest;
  digest.add(pack);
  const ObjectId hash = digest.finish();
  pack.append(reinterpret_cast<const char*>(hash.raw.data()), hash.size());
  const auto base = [](const ObjectId&) {
    return std::optional<Object>(make_object(ObjectType::blob, "a base that is always there\n"));
  };
  const auto objects = origin::read_received_pack(pack, base);
  if (!objects) return 0;
  for (const Object& object : *objects) BW_ASSERT(object.id == id_of(name(object.type), object.content));
  return 0;
}
