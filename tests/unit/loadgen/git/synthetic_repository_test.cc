// Repositories made from a seed: what they hold, what fetches get of them, and what pushes change.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <set>

#include "git/digest.h"
#include "git/pack_writer.h"
#include "git/synthetic_commit.h"
#include "git/synthetic_repository.h"

using namespace breakwater::storm;

namespace {

std::unique_ptr<SyntheticRepository> make(uint32_t number = 0, uint64_t seed = 1, uint32_t refs = 40) {
  const SyntheticSettings settings{.seed = seed, .pack_bytes = 256 * 1024, .refs = refs, .lfs_bytes = 10};
  return std::make_unique<SyntheticRepository>(std::make_shared<const SyntheticContent>(settings), "r.git",
                                               number);
}

ObjectId tip_of(const SyntheticRepository& repository) {
  return repository.refs()->find(synthetic_head).value_or(ObjectId{});
}

std::string bytes_of(const PackPlan& pack) {
  std::string all = pack.header;
  for (const std::string_view piece : pack.pieces) all += piece;
  return all + pack.hash;
}

// The hash of all, and the sum of it.
void check_pack(const PackPlan& pack) {
  const std::string all = bytes_of(pack);
  CHECK(all.size() == pack.bytes);
  Digest digest;
  digest.add(std::string_view(all).substr(0, all.size() - 20));
  const ObjectId hash = digest.finish();
  CHECK(std::memcmp(hash.raw.data(), all.data() + all.size() - 20, 20) == 0);
}

constexpr uint32_t commits = 8;             // of 256 KiB
constexpr uint32_t blobs = 32 + 7 + 1 + 2;  // files, replaced ones, the read-me, pointers to LFS
constexpr uint32_t all_objects = commits * 3 + blobs;

}  // namespace

TEST_CASE("synthetic refs: as many as asked for, in order, and each is found by its name") {
  for (const uint32_t count : {1u, 2u, 7u, 40u, 10'000u}) {
    CAPTURE(count);
    const auto repository = make(0, 1, count);
    const std::shared_ptr<const SyntheticRefs> refs = repository->refs();
    uint32_t seen = 0;
    std::string before;
    refs->for_each([&](const ServedRef& ref) {
      CHECK(before < ref.name);
      CHECK(refs->find(ref.name) == ref.id);
      CHECK(repository->object(ref.id));
      if (!ref.peeled.is_zero()) CHECK(repository->object(ref.id)->type == ObjectType::tag);
      before = ref.name;
      seen++;
    });
    CHECK(seen == count);
    CHECK_FALSE(refs->find("refs/heads/branch-9999999"));
    CHECK_FALSE(refs->find("refs/heads/branch-000000x"));
  }
}

TEST_CASE("synthetic refs: what is changed stands among the others") {
  const auto repository = make();
  SyntheticRefs refs = *repository->refs();
  const ObjectId id = tip_of(*repository);
  refs.set("refs/heads/aaa", id);
  refs.set("refs/zzz", id);
  refs.set("refs/heads/branch-0000001", {});
  std::vector<std::string> names;
  refs.for_each([&](const ServedRef& ref) { names.push_back(ref.name); });
  CHECK(names.size() == 40 + 2 - 1);
  CHECK(names.front() == "refs/heads/aaa");
  CHECK(names.back() == "refs/zzz");
  CHECK(std::ranges::is_sorted(names));
  CHECK_FALSE(refs.find("refs/heads/branch-0000001"));
}

TEST_CASE("synthetic repository: the same seed gives the same, others share no commit") {
  CHECK(tip_of(*make()) == tip_of(*make()));
  const std::set<std::string> tips = {tip_of(*make(0)).hex(), tip_of(*make(1)).hex(),
                                      tip_of(*make(0, 2)).hex()};
  CHECK(tips.size() == 3);
}

TEST_CASE("synthetic repository: a clone gets all of it, once planned for everybody") {
  const auto repository = make();
  ServedFetch request;
  request.wants = {tip_of(*repository)};
  const std::shared_ptr<const FetchPlan> plan = repository->plan(request, true);
  CHECK(plan->missing.is_zero());
  CHECK(plan->pack.objects == all_objects);
  CHECK(plan->pack.pieces.size() <= 3);  // commits, trees, blobs: each in one piece
  check_pack(plan->pack);
  CHECK(plan->pack.bytes > 250'000);
  CHECK(plan->pack.bytes < 300'000);
  CHECK(repository->plan(request, true) == plan);
  request.include_tags = true;
  CHECK(repository->plan(request, true)->pack.objects == all_objects + 40 / 8);
}

TEST_CASE("synthetic repository: depth, filters, and single objects") {
  const auto repository = make();
  ServedFetch request;
  request.wants = {tip_of(*repository)};
  request.depth = 1;
  std::shared_ptr<const FetchPlan> plan = repository->plan(request, true);
  CHECK(plan->pack.objects == 1 + 2 + 32 + 1 + 2);
  CHECK(plan->shallow == request.wants);
  check_pack(plan->pack);

  request.filter.blob_bytes_below = 0;
  CHECK(repository->plan(request, true)->pack.objects == 1 + 2);
  request.filter = {UINT64_MAX, 1};
  CHECK(repository->plan(request, true)->pack.objects == 1 + 1);

  ServedFetch one;
  const std::vector<Link> root = *links_of(ObjectType::commit, repository->object(request.wants[0])->content);
  const std::vector<Link> entries = *links_of(ObjectType::tree, repository->object(root[0].id)->content);
  for (const Link& link : entries) {
    if (link.type == ObjectType::blob) one.wants = {link.id};
  }
  one.filter.blob_bytes_below = 0;  // as a lazy fetch of Git's says it
  CHECK(repository->plan(one, true)->pack.objects == 1);

  ServedFetch unknown;
  unknown.wants = {ObjectId::parse(std::string(40, '7')).value()};
  CHECK(repository->plan(unknown, true)->missing == unknown.wants[0]);
}

TEST_CASE("synthetic repository: what a shallow client gets when it deepens") {
  const auto repository = make();
  ServedFetch request;
  request.wants = {tip_of(*repository)};
  request.haves = request.shallow = request.wants;
  request.depth = 3;
  std::shared_ptr<const FetchPlan> plan = repository->plan(request, true);
  CHECK(plan->unshallow == request.wants);
  CHECK(plan->shallow.size() == 1);
  // Two commits, their trees, and of each the one file that the client's newest commit replaced.
  CHECK(plan->pack.objects == 2 * 3 + 2);
  request.depth = ServedFetch::whole;
  plan = repository->plan(request, true);
  CHECK(plan->shallow.empty());
  CHECK(plan->pack.objects == all_objects - (1 + 2 + 32 + 1 + 2));
  // Without a depth nothing lies behind the client's shallow commits.
  request.depth = 0;
  request.haves.clear();
  CHECK(repository->plan(request, true)->pack.objects == 1 + 2 + 32 + 1 + 2);
}

TEST_CASE("synthetic repository: it grows, and a fetch gets what is new") {
  const auto repository = make();
  const ObjectId before = tip_of(*repository);
  const ObjectId news = repository->advance(2, 1000);
  CHECK(tip_of(*repository) == news);
  CHECK(repository->refs(true)->find(synthetic_head) == before);
  ServedFetch request;
  request.wants = {news};
  request.haves = {before, ObjectId::parse(std::string(40, '7')).value()};
  const std::shared_ptr<const FetchPlan> plan = repository->plan(request, false);
  CHECK(plan->is_ready);
  CHECK(plan->common == std::vector<ObjectId>{before});
  CHECK(plan->pack.objects == 2 * 3);
  check_pack(plan->pack);
  request.haves.clear();
  CHECK_FALSE(repository->plan(request, false)->is_ready);
  CHECK(repository->plan(request, false)->pack.bytes == 0);
}

TEST_CASE("synthetic repository: a push is taken, whole, or not at all") {
  const auto repository = make();
  const MadeCommits made =
      make_commits({.seed = 5, .commits = 2, .bytes = 100, .parent = tip_of(*repository)});
  std::vector<Object> part = made.objects;
  part.erase(part.begin());
  const RefUpdate update{"refs/heads/ours", {}, made.tip()};
  std::string unpack;
  CHECK(repository->push(part, {update}, unpack).front() == "missing necessary objects");
  CHECK(repository->version() == 0);
  CHECK(repository->push(made.objects, {update}, unpack).front().empty());
  CHECK(repository->refs()->find("refs/heads/ours") == made.tip());
  CHECK_FALSE(repository->push({}, {update}, unpack).front().empty());  // it is there by now
  const RefUpdate away{"refs/heads/ours", made.tip(), {}};
  CHECK(repository->push({}, {away}, unpack).front().empty());
  CHECK_FALSE(repository->refs()->find("refs/heads/ours"));
  const RefUpdate head{std::string(synthetic_head), tip_of(*repository), {}};
  CHECK_FALSE(repository->push({}, {head}, unpack).front().empty());
  CHECK(unpack.empty());
}

TEST_CASE("object: links are read, and nothing is made of what is broken") {
  CHECK_FALSE(links_of(ObjectType::commit, ""));
  CHECK_FALSE(links_of(ObjectType::commit, "tree " + std::string(40, 'a')));
  CHECK_FALSE(links_of(ObjectType::tag, "object " + std::string(40, 'a') + "\ntype what\n"));
  CHECK_FALSE(links_of(ObjectType::tree, std::string_view("100644 a\0short", 14)));
  CHECK(links_of(ObjectType::blob, "anything")->empty());
  CHECK(links_of(ObjectType::tree, "")->empty());
}
