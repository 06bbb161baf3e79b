// What one core serves, written down for another thread.
#include "proxy/report.h"

#include <doctest/doctest.h>

#include <string>
#include <thread>

using namespace breakwater::proxy;

TEST_CASE("report: nobody asks, nothing is to be done; asked once, answered once") {
  Report report;
  CHECK_FALSE(report.is_asked_for());
  CHECK_FALSE(report.is_answered());
  report.ask();
  CHECK(report.is_asked_for());
  report.begin();
  report.add()->bytes_in = 7;
  report.publish();
  CHECK_FALSE(report.is_asked_for());
  REQUIRE(report.is_answered());
  CHECK(report.count() == 1);
  CHECK(report.rows()[0].bytes_in == 7);
}

TEST_CASE("report: an answer that came too late is forgotten, one that is owed is not asked for twice") {
  Report report;
  report.ask();
  report.ask();
  report.begin();
  report.add();
  report.publish();
  report.ask();
  CHECK_FALSE(report.is_answered());
  report.begin();
  report.publish();
  REQUIRE(report.is_answered());
  CHECK(report.rows().empty());
}

TEST_CASE("report: an answer that was owed is known by what it lists") {
  Report report;
  report.ask(Listing::waiting);
  CHECK(report.begin() == Listing::waiting);
  report.ask(Listing::all);  // while it is being written
  report.publish();
  REQUIRE(report.is_answered());
  CHECK(report.listing() == Listing::waiting);
  report.ask(Listing::all);
  CHECK(report.begin() == Listing::all);
}

TEST_CASE("report: it is cut at its bound, and says how many there are") {
  Report report;
  report.ask();
  report.begin();
  for (size_t row = 0; row < Report::rows_max; row++) CHECK(report.add() != nullptr);
  CHECK(report.add() == nullptr);
  report.publish();
  CHECK(report.rows().size() == Report::rows_max);
  CHECK(report.count() == Report::rows_max + 1);
}

TEST_CASE("report: between two threads") {
  Report report;
  std::atomic<bool> done{false};
  std::thread core([&] {
    for (uint64_t turn = 0; !done.load(); turn++) {
      if (!report.is_asked_for()) {
        std::this_thread::yield();
        continue;
      }
      report.begin();
      report.add()->bytes_in = turn;
      report.publish();
    }
  });
  uint64_t last = 0;
  for (int count = 0; count < 200; count++) {
    report.ask();
    while (!report.is_answered()) std::this_thread::yield();
    CHECK(report.rows()[0].bytes_in >= last);
    last = report.rows()[0].bytes_in;
  }
  done.store(true);
  core.join();
}

TEST_CASE("cut text: whole, or as much as has room") {
  CutText<4> text;
  CHECK(text.view().empty());
  text.assign("abcd");
  CHECK(text.view() == "abcd");
  text.assign("abcdefg");
  CHECK(text.view() == "abcd");
}
