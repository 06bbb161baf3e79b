// Packs that are kept and given to real git: which it takes, which not, and how many at a time.
#include "client/pack_inspector.h"

#include <doctest/doctest.h>

#include <vector>

#include "coro/scope.h"
#include "git/digest.h"
#include "git/synthetic_commit.h"
#include "unit/core_world.h"

using namespace breakwater;
using namespace breakwater::storm;

namespace {

using Verdict = PackInspector::Verdict;

Task<void> ask(PackInspector& inspector, Core& core, KeptPack& pack, Verdict& verdict, bool& is_over) {
  verdict = co_await inspector.inspect(core, pack);
  is_over = true;
}

Verdict verdict_of(PackInspector& inspector, std::string_view bytes, HashKind hash = HashKind::sha1,
                   bool has_all_links = true) {
  const CoreWorld world(16);
  Scope scope;
  const std::unique_ptr<KeptPack> pack = inspector.keep(hash, has_all_links);
  REQUIRE(pack != nullptr);
  REQUIRE(pack->add(bytes.substr(0, bytes.size() / 2)));
  REQUIRE(pack->add(bytes.substr(bytes.size() / 2)));
  Verdict verdict = Verdict::unknown;
  bool is_over = false;
  scope.spawn(ask(inspector, *world.core, *pack, verdict, is_over));
  // Who asks ends it. NOLINTNEXTLINE(bugprone-infinite-loop)
  while (!is_over) world.core->turn();
  return verdict;
}

std::unique_ptr<PackInspector> make() {
  std::expected<std::unique_ptr<PackInspector>, std::string> made = PackInspector::make();
  REQUIRE_MESSAGE(made, made.error());
  return std::move(*made);
}

}  // namespace

TEST_CASE("git takes whole packs, of either hash") {
  const std::unique_ptr<PackInspector> inspector = make();
  for (const HashKind hash : {HashKind::sha1, HashKind::sha256}) {
    const MadeCommits made = make_commits({.seed = 3, .commits = 5, .kind = hash});
    CHECK(verdict_of(*inspector, pack_of(made.objects, hash), hash) == Verdict::sound);
  }
  CHECK(inspector->last_complaint().empty());
}

TEST_CASE("git does not take a byte that was altered, whatever the trailing hash says") {
  const std::unique_ptr<PackInspector> inspector = make();
  std::string pack = pack_of(make_commits({.seed = 4}).objects);
  pack[pack.size() / 2] ^= 1;
  Digest digest;
  digest.add(std::string_view(pack).substr(0, pack.size() - 20));
  const ObjectId trailer = digest.finish();
  pack.replace(pack.size() - 20, 20, reinterpret_cast<const char*>(trailer.raw.data()), 20);
  CHECK(verdict_of(*inspector, pack) == Verdict::corrupt);
  CHECK_FALSE(inspector->last_complaint().empty());
}

TEST_CASE("an object that another one names must be there, unless the pack is a part on purpose") {
  const std::unique_ptr<PackInspector> inspector = make();
  const MadeCommits made = make_commits({.seed = 5, .parent = ObjectId::parse(std::string(40, '5'))});
  CHECK(verdict_of(*inspector, pack_of(made.objects), HashKind::sha1, true) == Verdict::corrupt);
  CHECK(verdict_of(*inspector, pack_of(made.objects), HashKind::sha1, false) == Verdict::sound);
}

TEST_CASE("no more than so many are kept at a time, and none that is too large") {
  const std::unique_ptr<PackInspector> inspector = make();
  std::vector<std::unique_ptr<KeptPack>> kept;
  for (uint32_t i = 0; i < PackInspector::packs_max; ++i)
    kept.push_back(inspector->keep(HashKind::sha1, true));
  CHECK(kept.back() != nullptr);
  CHECK(inspector->keep(HashKind::sha1, true) == nullptr);
  kept.pop_back();
  CHECK(inspector->keep(HashKind::sha1, true) != nullptr);
  const std::string piece(1 << 20, 'x');
  uint64_t added = 0;
  while (kept.front()->add(piece)) added += piece.size();
  CHECK(added == PackInspector::pack_bytes_max);
}
