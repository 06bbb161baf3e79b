// How many operations a pool takes at a time.
#include "backends/admission.h"

#include <doctest/doctest.h>

using namespace breakwater;
using namespace breakwater::backends;

namespace {

Admission::Ask ask(OperationClass what, uint64_t repository = 1, uint64_t client = 1) {
  return {what, repository, client};
}

}  // namespace

TEST_CASE("admission: without limits everything may come in") {
  const config::Admission limits;
  Admission admission(limits);
  CHECK_FALSE(admission.has_limits());
  for (uint32_t count = 0; count < 1000; count++)
    CHECK(admission.enter(ask(OperationClass::fetch)) == Limit::none);
  CHECK(admission.inside() == 1000);
}

TEST_CASE("admission: each limit by itself, and it is named") {
  config::Admission limits;
  limits.operations = 10;
  limits.pushes = 2;
  limits.per_repository = 5;
  limits.per_client = 4;
  Admission admission(limits);
  CHECK(admission.has_limits());
  CHECK(admission.enter(ask(OperationClass::push, 1, 1)) == Limit::none);
  CHECK(admission.enter(ask(OperationClass::push, 2, 2)) == Limit::none);
  CHECK(admission.enter(ask(OperationClass::push, 3, 3)) == Limit::pushes);
  for (uint64_t count = 0; count < 4; count++)
    CHECK(admission.enter(ask(OperationClass::fetch, 1, 10 + count)) == Limit::none);
  CHECK(admission.enter(ask(OperationClass::fetch, 1, 20)) == Limit::repository);
  for (uint64_t count = 0; count < 4; count++)
    CHECK(admission.enter(ask(OperationClass::web, 0, 30)) == Limit::none);
  CHECK(admission.enter(ask(OperationClass::web, 0, 30)) == Limit::operations);
  admission.leave(ask(OperationClass::push, 1, 1));
  CHECK(admission.enter(ask(OperationClass::web, 0, 30)) == Limit::client);
  CHECK(admission.enter(ask(OperationClass::lfs, 7, 31)) == Limit::none);
  CHECK(admission.inside() == 10);
  CHECK(admission.inside(OperationClass::push) == 1);
  CHECK(name(Limit::repository) == "max_per_repository");
}

TEST_CASE("admission: parts of operations have limits of their own") {
  config::Admission limits;
  limits.clones = 2;
  CHECK(limits.has_any());
  Admission admission(limits);
  CHECK(admission.limits(Part::clone));
  CHECK_FALSE(admission.limits(Part::advertisement));
  CHECK_FALSE(admission.limits(Part::none));
  CHECK(admission.enter(Part::clone) == Limit::none);
  CHECK(admission.enter(Part::clone) == Limit::none);
  CHECK(admission.enter(Part::clone) == Limit::clones);
  CHECK(admission.inside(Part::clone) == 2);
  admission.enter_anyway(Part::clone);
  admission.leave(Part::clone);
  CHECK(admission.enter(Part::clone) == Limit::clones);
  admission.leave(Part::clone);
  CHECK(admission.enter(Part::clone) == Limit::none);
  CHECK(admission.inside() == 0);
  CHECK(name(Limit::clones) == "max_clones");
  CHECK(name(Limit::advertisements) == "max_advertisements");
}

TEST_CASE("admission: what was admitted before comes in whatever the limits say, and counts") {
  config::Admission limits;
  limits.operations = 1;
  Admission admission(limits);
  admission.enter_anyway(ask(OperationClass::fetch));
  admission.enter_anyway(ask(OperationClass::fetch));
  CHECK(admission.enter(ask(OperationClass::fetch)) == Limit::operations);
  admission.leave(ask(OperationClass::fetch));
  CHECK(admission.enter(ask(OperationClass::fetch)) == Limit::operations);
  admission.leave(ask(OperationClass::fetch));
  CHECK(admission.enter(ask(OperationClass::fetch)) == Limit::none);
}
