// What is wanted of a server's refs: as git 2.39 was seen to want it (recorded with GIT_TRACE_PACKET and a
// relay).
#include "client/wanted_refs.h"

#include <doctest/doctest.h>

using namespace breakwater::storm;

namespace {

ObjectId id(char digit) {
  return *ObjectId::parse(std::string(40, digit));
}

// HEAD is main; v1 is a tag of what main is, v0 of something older; `light` a tag that is a commit itself.
void tell_v2(WantedRefs& wanted) {
  wanted.see({id('a'), "HEAD", {}, "refs/heads/main"});
  wanted.see({id('a'), "refs/heads/main", {}, {}});
  wanted.see({id('b'), "refs/heads/side", {}, {}});
  wanted.see({id('b'), "refs/tags/light", {}, {}});
  wanted.see({id('1'), "refs/tags/v0", id('c'), {}});
  wanted.see({id('2'), "refs/tags/v1", id('a'), {}});
}
void tell_v0(WantedRefs& wanted) {
  wanted.see({id('a'), "HEAD", {}, {}});
  wanted.see({id('a'), "refs/heads/main", {}, {}});
  wanted.see({id('b'), "refs/heads/side", {}, {}});
  wanted.see({id('b'), "refs/tags/light", {}, {}});
  wanted.see({id('1'), "refs/tags/v0", {}, {}});
  wanted.see({id('c'), "refs/tags/v0^{}", {}, {}});
  wanted.see({id('2'), "refs/tags/v1", {}, {}});
  wanted.see({id('a'), "refs/tags/v1^{}", {}, {}});
  wanted.leave_out_head();
}

std::string letters(const std::vector<ObjectId>& ids) {
  std::string text;
  for (const ObjectId& each : ids) text += each.hex()[0];
  return text;
}

}  // namespace

TEST_CASE("a clone wants everything: HEAD too with v2") {
  const Operation clone{.verb = Verb::clone};
  WantedRefs v2(clone, nullptr, false), v0(clone, nullptr, false);
  tell_v2(v2);
  CHECK(letters(v2.wants()) == "aabb12");
  CHECK(v2.head() == id('a'));
  CHECK(v2.refs() == 6);
  tell_v0(v0);
  CHECK(letters(v0.wants()) == "abb12");
}

TEST_CASE("a shallow clone wants the branch that HEAD names, or the one that was asked for") {
  Operation clone{.verb = Verb::clone, .depth = 1};
  WantedRefs of_head(clone, nullptr, true);
  tell_v2(of_head);
  CHECK(letters(of_head.wants()) == "aa");
  CHECK(letters(std::move(of_head).copy().tips) == "a");
  clone.ref = "side";
  WantedRefs of_side(clone, nullptr, true);
  tell_v2(of_side);
  CHECK(letters(of_side.wants()) == "b");
  CHECK(of_side.head() == id('b'));
}

TEST_CASE("a fetch wants branches that are new, and the tags of what it gets") {
  const Operation fetch{.verb = Verb::fetch};
  for (const auto tell : {tell_v2, tell_v0}) {
    WantedRefs first(fetch, nullptr, true);
    tell(first);
    CHECK(letters(first.wants()) == "abb2");
    const LocalCopy copy = std::move(first).copy();
    CHECK(letters(copy.tips) == "ab");
    WantedRefs second(fetch, &copy, true);
    tell(second);
    CHECK(second.wants().empty());
    WantedRefs third(fetch, &copy, true);
    third.see({id('d'), "refs/heads/main", {}, {}});
    third.see({id('b'), "refs/heads/side", {}, {}});
    CHECK(letters(third.wants()) == "d");
    CHECK(letters(std::move(third).copy().tips) == "db");
  }
  WantedRefs without_tags(fetch, nullptr, false);
  tell_v2(without_tags);
  CHECK(letters(without_tags.wants()) == "ab");
}

TEST_CASE("one ref, by any of its names; a name that is nobody's gives no head") {
  for (const char* const name : {"side", "heads/side", "refs/heads/side"}) {
    const Operation fetch{.verb = Verb::fetch, .ref = name};
    WantedRefs wanted(fetch, nullptr, false);
    tell_v2(wanted);
    CHECK(letters(wanted.wants()) == "b");
    CHECK(wanted.head() == id('b'));
  }
  const Operation tag{.verb = Verb::fetch, .ref = "v0"};
  WantedRefs of_tag(tag, nullptr, false);
  tell_v2(of_tag);
  CHECK(letters(of_tag.wants()) == "1");
  const Operation none{.verb = Verb::fetch, .ref = "sid"};
  WantedRefs of_none(none, nullptr, false);
  tell_v2(of_none);
  CHECK(of_none.wants().empty());
  CHECK(of_none.head().is_zero());
}

TEST_CASE("all tags are wanted once") {
  const Operation tags{.verb = Verb::tags};
  WantedRefs first(tags, nullptr, false);
  tell_v2(first);
  CHECK(letters(first.wants()) == "abb12");
  const LocalCopy copy = std::move(first).copy();
  WantedRefs second(tags, &copy, false);
  tell_v2(second);
  CHECK(second.wants().empty());
}

TEST_CASE("what a runner keeps of its copies has a bound") {
  LocalCopies copies;
  for (uint32_t repository = 0; repository < 10; ++repository) {
    LocalCopy copy{.repository = repository, .tips = std::vector<ObjectId>(100, id('a'))};
    copies.keep(copy);
  }
  CHECK(copies.find(5) == nullptr);
  REQUIRE(copies.find(9) != nullptr);
  CHECK(copies.find(9)->tips.size() == LocalCopies::tips_max);
  copies.keep(
      {.repository = 9, .tips = {id('b')}, .shallow = std::vector<ObjectId>(LocalCopies::shallow_max + 1)});
  CHECK(copies.find(9) == nullptr);
  CHECK(copies.find(8) != nullptr);
}
