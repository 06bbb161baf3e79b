// The command `stormgen origin` as a program of its own, for its tests.
#include "origin/run.h"

int main(int argc, char** argv) {
  return breakwater::storm::origin::run_origin(argc, argv);
}
