// PackCheck on packs whose hash at the end is right, so that it looks at all that may stand in them: it says
// of the commit that was asked for what a second, slow reader says, in pieces of any size.
//
// Input: a byte of flags, then either the bytes behind the pack's header as they are, or (flag 2) objects to
// be packed: a byte of type, one of how long, the content.
#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/assert.h"
#include "git/pack_check.h"
#include "git/pack_objects.h"
#include "unit/loadgen/git/small_packs.h"

using namespace breakwater::storm;
using namespace breakwater::storm::by_hand;

namespace {

struct Found {
  std::vector<ObjectId> names;  // of commits and tags that are whole
  size_t objects = 0;
  bool has_unnamed = false;
};

// As PackCheck does it, but with all bytes there and by one call of zlib's for each object.
Found look_slowly(std::string_view rest, HashKind kind) {
  Found found;
  static std::string content(1 << 20, '\0');  // once: under a sanitizer each would be mapped anew
  while (!rest.empty()) {
    size_t at = 0;
    const uint8_t first = static_cast<uint8_t>(rest[at++]);
    const int type = first >> 4 & 7;
    uint64_t size = first & 15;
    bool more = (first & 0x80) != 0;
    for (unsigned shift = 4; more && at < rest.size() && shift <= 60; shift += 7) {
      const uint8_t byte = static_cast<uint8_t>(rest[at++]);
      size |= uint64_t{byte & 0x7fu} << shift;
      more = (byte & 0x80) != 0;
    }
    if (more || size > content.size()) return found;
    if (type == 6) do {
        if (at == rest.size()) return found;
      } while ((rest[at++] & 0x80) != 0);
    if (type == 7) at += bytes_of(kind);
    if (at > rest.size()) return found;
    uLongf made = size;
    uLong used = rest.size() - at;
    Bytef* const into = reinterpret_cast<Bytef*>(content.data());
    if (uncompress2(into, &made, reinterpret_cast<const Bytef*>(rest.data()) + at, &used) != Z_OK)
      return found;
    if (made != size) return found;
    found.objects++;
    if (type == 1 || type == 4) {
      if (size <= PackCheck::tip_bytes_max)
        found.names.push_back(
            id_of(type == 1 ? "commit" : "tag", std::string_view(content).substr(0, size), kind));
      else
        found.has_unnamed = true;
    }
    found.has_unnamed = found.has_unnamed || type == 6 || type == 7;
    rest.remove_prefix(at + used);
  }
  return found;
}

std::string objects_out_of(std::string_view in) {
  std::string objects;
  while (in.size() >= 2) {
    const PackType type = static_cast<PackType>(in[0] & 7);
    const size_t bytes = static_cast<uint8_t>(in[1]);
    const std::string base = type == PackType::offset_delta  ? std::string(1, '\x20')
                             : type == PackType::named_delta ? std::string(20, 'n')
                                                             : std::string();
    objects += packed(type, in.substr(2, bytes), base);
    in.remove_prefix(std::min(in.size(), 2 + bytes));
  }
  return objects;
}

PackCheck::Tip tip_of(std::string_view pack, HashKind kind, const ObjectId& tip, size_t piece) {
  PackCheck check(kind);
  check.want(tip);
  while (!pack.empty()) {
    const std::string part(pack.substr(0, piece));  // so that no view outlives it
    pack.remove_prefix(part.size());
    BW_ASSERT(check.take(part));
  }
  check.end();
  BW_ASSERT(check.complaint().fault ==
            (check.tip() == PackCheck::Tip::absent ? GitFault::corrupt : GitFault::none));
  return check.tip();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2 || size > PackCheck::window_bytes / 2) return 0;
  const HashKind kind = (data[0] & 1) != 0 ? HashKind::sha256 : HashKind::sha1;
  std::string objects(reinterpret_cast<const char*>(data + 1), size - 1);
  if ((data[0] & 2) != 0) objects = objects_out_of(objects);
  const Found found = look_slowly(objects, kind);
  const uint32_t count = static_cast<uint32_t>(found.objects + ((data[0] & 4) != 0 ? 1 : 0));  // one too many
  const std::string pack = pack_of(count, objects, kind);
  std::vector<ObjectId> tips = found.names;
  tips.resize(std::min<size_t>(tips.size(), 4));
  tips.push_back(id_of("commit", "that is nowhere", kind));
  for (const ObjectId& tip : tips) {
    const PackCheck::Tip said = tip_of(pack, kind, tip, pack.size());
    const bool is_there = std::find(found.names.begin(), found.names.end(), tip) != found.names.end();
    const bool has_all = count == found.objects && !found.has_unnamed;
    // Behind its window PackCheck sees nothing; the slow reader does.
    if (objects.size() <= PackCheck::window_bytes - hash_bytes_max)
      BW_ASSERT(said == (is_there  ? PackCheck::Tip::seen
                         : has_all ? PackCheck::Tip::absent
                                   : PackCheck::Tip::undecided));
    BW_ASSERT(said != PackCheck::Tip::seen || is_there);
    for (const size_t piece : {size_t{1}, size_t{100}}) BW_ASSERT(tip_of(pack, kind, tip, piece) == said);
  }
  return 0;
}
