// PackCheck on packs that were made for it: where the commit that was asked for may stand, and what it says
// of packs that are sound and of others.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "git/pack_check.h"
#include "small_packs.h"

using namespace breakwater::storm;
using namespace breakwater::storm::by_hand;

namespace {

const std::string a_commit =
    "tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\nauthor a <a@b> 1700000000 +0000\n"
    "committer a <a@b> 1700000000 +0000\n\none\n";
const std::string other_commit = a_commit + "two\n";

struct Checked {
  GitFault fault;
  PackCheck::Tip tip;
  uint32_t objects;
  bool operator==(const Checked&) const = default;
};

Checked check(std::string_view pack, const ObjectId& tip, size_t piece = 1 << 20,
              HashKind kind = HashKind::sha1) {
  PackCheck check(kind);
  check.want(tip);
  while (!pack.empty()) {
    const std::string part(pack.substr(0, piece));
    pack.remove_prefix(part.size());
    if (!check.take(part)) return {check.complaint().fault, check.tip(), check.objects()};
  }
  check.end();
  return {check.complaint().fault, check.tip(), check.objects()};
}

PackCheck::Tip tip_of(std::string_view pack, const ObjectId& tip) {
  const Checked whole = check(pack, tip);
  for (const size_t piece : {size_t{1}, size_t{13}, size_t{1000}}) CHECK(check(pack, tip, piece) == whole);
  CHECK(whole.fault == (whole.tip == PackCheck::Tip::absent ? GitFault::corrupt : GitFault::none));
  return whole.tip;
}

}  // namespace

TEST_CASE("pack check: a commit or a tag is found by its name, wherever it stands at the beginning") {
  const std::string tag =
      "object " + std::string(40, '1') + "\ntype commit\ntag v1\ntagger a <a@b> 1 +0000\n\nv1\n";
  const std::string small = packed(PackType::blob, "x") + packed(PackType::tree, "");
  const std::string commit = packed(PackType::commit, a_commit);
  CHECK(tip_of(pack_of(1, commit), id_of("commit", a_commit)) == PackCheck::Tip::seen);
  CHECK(tip_of(pack_of(3, small + commit), id_of("commit", a_commit)) == PackCheck::Tip::seen);
  CHECK(tip_of(pack_of(4, packed(PackType::tag, tag) + commit + small), id_of("tag", tag)) ==
        PackCheck::Tip::seen);
  CHECK(tip_of(pack_of(1, commit, HashKind::sha1, 3), id_of("commit", a_commit)) == PackCheck::Tip::seen);
  // A tag is none of the commits, and a blob of the same bytes is no commit.
  CHECK(tip_of(pack_of(1, packed(PackType::tag, a_commit)), id_of("commit", a_commit)) ==
        PackCheck::Tip::absent);
  CHECK(tip_of(pack_of(1, packed(PackType::blob, a_commit)), id_of("commit", a_commit)) ==
        PackCheck::Tip::absent);
}

TEST_CASE("pack check: names of SHA-256") {
  const std::string pack = pack_of(1, packed(PackType::commit, a_commit), HashKind::sha256);
  const ObjectId tip = id_of("commit", a_commit, HashKind::sha256);
  CHECK(check(pack, tip, 7, HashKind::sha256) == Checked{GitFault::none, PackCheck::Tip::seen, 1});
  CHECK(check(pack, id_of("commit", a_commit), 7, HashKind::sha256).tip == PackCheck::Tip::absent);
  CHECK(check(pack, tip, 7, HashKind::sha1).fault == GitFault::corrupt);
}

TEST_CASE("pack check: what can't be seen is undecided, and no failure") {
  const ObjectId tip = id_of("commit", a_commit);
  const std::string commit = packed(PackType::commit, a_commit);
  const std::string large = packed(PackType::blob, noise(2 * PackCheck::window_bytes, 1));
  SUBCASE("behind the window") {
    CHECK(tip_of(pack_of(2, large + commit), tip) == PackCheck::Tip::undecided);
  }
  SUBCASE("across its end") {
    const std::string nearly = packed(PackType::blob, noise(PackCheck::window_bytes - 100, 1));
    CHECK(tip_of(pack_of(2, nearly + commit), tip) == PackCheck::Tip::undecided);
  }
  SUBCASE("a delta may be what was asked for") {
    const std::string delta = packed(PackType::offset_delta, "delta", std::string(1, '\x12'));
    const std::string named = packed(PackType::named_delta, "delta", std::string(20, '\xee'));
    CHECK(tip_of(pack_of(2, commit + delta), id_of("commit", other_commit)) == PackCheck::Tip::undecided);
    CHECK(tip_of(pack_of(2, commit + named), id_of("commit", other_commit)) == PackCheck::Tip::undecided);
    CHECK(tip_of(pack_of(3, delta + named + commit), tip) == PackCheck::Tip::seen);
  }
  SUBCASE("a commit that is too long to be looked at is none that is missing") {
    const std::string long_one = a_commit + std::string(PackCheck::tip_bytes_max, 'x');
    const std::string pack = pack_of(1, packed(PackType::commit, long_one));
    CHECK(tip_of(pack, id_of("commit", long_one)) == PackCheck::Tip::undecided);
  }
}

TEST_CASE("pack check: a pack that has all that it has within the window is without what it has not") {
  const ObjectId other = id_of("commit", other_commit);
  CHECK(tip_of(pack_of(1, packed(PackType::commit, a_commit)), other) == PackCheck::Tip::absent);
  CHECK(tip_of(pack_of(0, ""), other) == PackCheck::Tip::absent);
  CHECK(check(pack_of(0, ""), {}) == Checked{GitFault::none, PackCheck::Tip::not_wanted, 0});
}

TEST_CASE("pack check: what is no pack, and what ends early") {
  const std::string pack = pack_of(1, packed(PackType::commit, a_commit));
  CHECK(check("PACK", {}).fault == GitFault::truncated);
  CHECK(check(pack.substr(0, 31), {}).fault == GitFault::truncated);
  CHECK(check("JACK" + pack.substr(4), {}).fault == GitFault::corrupt);
  CHECK(check(pack_of(1, packed(PackType::commit, a_commit), HashKind::sha1, 4), {}).fault ==
        GitFault::corrupt);
  for (size_t size = 32; size < pack.size(); ++size)
    CHECK(check(std::string_view(pack).substr(0, size), {}).fault == GitFault::corrupt);
  CHECK(check(pack + "x", {}).fault == GitFault::corrupt);
  CHECK(check(pack + pack, {}).fault == GitFault::corrupt);
}

TEST_CASE("pack check: what a server claims costs no more than it sent") {
  // Of 4 GiB that shall come of a few bytes, and of numbers without an end.
  const ObjectId tip = id_of("commit", a_commit);
  const std::string endless(100, '\xff');
  CHECK(tip_of(pack_of(1, endless), tip) == PackCheck::Tip::undecided);
  CHECK(tip_of(pack_of(1, "\xef" + endless), tip) == PackCheck::Tip::undecided);
  CHECK(tip_of(pack_of(0xffffffff, packed(PackType::blob, "x")), tip) == PackCheck::Tip::undecided);
  std::string liar = packed(PackType::commit, a_commit);
  liar[0] = static_cast<char>(liar[0] ^ 1);  // one byte longer or shorter than it is
  CHECK(tip_of(pack_of(1, liar), tip) == PackCheck::Tip::undecided);
  const std::string zeros = packed(PackType::blob, std::string(8 << 20, '\0'));  // 8 KiB in the pack
  CHECK(tip_of(pack_of(2, zeros + packed(PackType::commit, a_commit)), tip) == PackCheck::Tip::seen);
}
