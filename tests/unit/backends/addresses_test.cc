// Which slot an address gets, how long records hold, and what SRV records say.
#include "backends/addresses.h"

#include <doctest/doctest.h>

#include <map>
#include <set>
#include <string>

#include "base/rng.h"

using namespace breakwater;
using namespace breakwater::backends;

namespace {

constexpr int64_t second = 1'000'000'000;

std::vector<Found> plain(std::initializer_list<const char*> addresses) {
  std::vector<Found> found;
  for (const char* const address : addresses) found.push_back({address});
  return found;
}

using Numbers = std::vector<uint32_t>;

}  // namespace

TEST_CASE("slots: an address keeps its slot, whatever the order of the records and whoever comes or goes") {
  Slots slots(4);
  CHECK(slots.assign(plain({"a", "b", "c"})) == Numbers{0, 1, 2});
  CHECK(slots.assign(plain({"c", "a", "b"})) == Numbers{2, 0, 1});
  CHECK(slots.assign(plain({"c", "d"})) == Numbers{2, 3});
}

TEST_CASE("slots: an address that comes back gets its slot, with its history") {
  Slots slots(2);
  slots.assign(plain({"a", "b"}));
  CHECK(slots.assign(plain({"b"})) == Numbers{1});
  CHECK(slots.assign(plain({"b", "a"})) == Numbers{1, 0});
}

TEST_CASE("slots: a new address takes one that nobody had, then the one that has been free the longest") {
  Slots slots(3);
  slots.assign(plain({"a", "b"}));
  slots.assign(plain({"a"}));
  CHECK(slots.assign(plain({"a", "c"})) == Numbers{0, 2});
  slots.assign(plain({"c"}));
  CHECK(slots.assign(plain({"c", "d"})) == Numbers{2, 1});
  CHECK(slots.assign(plain({"c", "d", "e"})) == Numbers{2, 1, 0});
  CHECK(slots.assign(plain({"b"})) != Numbers{1});  // its slot has had another one since
}

TEST_CASE("slots: with too many addresses those in rotation have them, then those that are there already") {
  Slots slots(2);
  CHECK(slots.assign(plain({"c", "b", "a"})) == Numbers{Slots::none, 1, 0});
  CHECK(slots.assign(plain({"c", "b", "a"})) == Numbers{Slots::none, 1, 0});
  CHECK(slots.assign(plain({"0", "b", "a"})) == Numbers{Slots::none, 1, 0});
  const std::vector<Found> ranked{{"a", 2, 0}, {"b", 2, 0}, {"z", 1, 0}};
  CHECK(slots.assign(ranked) == Numbers{0, Slots::none, 1});
}

TEST_CASE("slots: none at all, and all at once") {
  Slots slots(2);
  CHECK(slots.assign({}).empty());
  slots.assign(plain({"a", "b"}));
  CHECK(slots.assign({}).empty());
  CHECK(slots.assign(plain({"c", "d"})) == Numbers{0, 1});
}

TEST_CASE("slots: whatever comes, nobody who stays moves and no slot has two") {
  Rng rng(7);
  Slots slots(6);
  std::map<std::string, uint32_t> before;
  for (int round = 0; round < 2000; round++) {
    std::set<std::string> names;
    const uint64_t count = rng.next() % 10;
    while (names.size() < count) names.insert("host" + std::to_string(rng.next() % 12));
    std::vector<Found> found;
    for (const std::string& name : names) found.push_back({name});
    const Numbers numbers = slots.assign(found);
    std::map<std::string, uint32_t> after;
    std::set<uint32_t> used;
    for (size_t index = 0; index < found.size(); index++) {
      if (numbers[index] == Slots::none) continue;
      after[found[index].address] = numbers[index];
      used.insert(numbers[index]);
      const auto old = before.find(found[index].address);
      if (old != before.end()) REQUIRE(old->second == numbers[index]);
    }
    REQUIRE(used.size() == after.size());
    REQUIRE(after.size() == std::min<size_t>(count, 6));
    before = after;
  }
}

TEST_CASE("records: the lowest priority is in rotation, the heaviest of each has the whole weight") {
  const std::vector<Found> all{{"a", 10, 60}, {"b", 10, 30}, {"c", 10, 0}, {"d", 20, 5}};
  CHECK_FALSE(rank_of(all[0], all).backup);
  CHECK(rank_of(all[0], all).share == 256);
  CHECK(rank_of(all[1], all).share == 128);
  CHECK(rank_of(all[2], all).share == 1);  // RFC 2782: a very small chance
  CHECK(rank_of(all[3], all).backup);
  CHECK(rank_of(all[3], all).share == 256);
  const std::vector<Found> same{{"a", 0, 0}, {"b", 0, 0}};
  CHECK(rank_of(same[1], same).share == 256);
  CHECK_FALSE(rank_of(same[1], same).backup);
  const std::vector<Found> large{{"a", 0, 65535}, {"b", 0, 65535}};
  CHECK(rank_of(large[0], large).share == 256);
}

TEST_CASE("records: they hold as long as they say, within bounds") {
  config::Dns dns;
  CHECK(lifetime_ns(0, dns) == second);
  CHECK(lifetime_ns(30, dns) == 30 * second);
  CHECK(lifetime_ns(UINT32_MAX, dns) == 300 * second);
  CHECK(retry_ns(dns) == 5 * second);
  dns.max_ttl = config::Duration{2'000};
  CHECK(retry_ns(dns) == 2 * second);
  dns.max_ttl = dns.min_ttl = config::Duration{60'000};
  CHECK(retry_ns(dns) == 60 * second);
}
