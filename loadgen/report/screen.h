// One screen of a storm that goes on, for a terminal: each frame takes the place of the one before. Pure;
// what it knows of the storm is what Progress says, and that of the moments before it keeps itself.
//
// A frame is at most as wide as the terminal, in characters that every terminal has. Colours are sequences of
// ECMA-48 (SGR) and mean nothing that the words do not say.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "measure/collector.h"
#include "plan/scenario.h"

namespace breakwater::storm {

class Screen {
 public:
  // `arrivals`: as many operations as are planned; 0: a closed loop, which plans none.
  Screen(const Scenario& scenario, uint64_t arrivals, bool has_colours);

  // What to write now: it erases the last frame and draws the next, of lines that end with "\n". Call it some
  // times a second, with a clock that does not go back.
  std::string frame(const Progress& progress, double elapsed_seconds, unsigned columns);
  // What leaves the screen without a frame, for what follows.
  std::string end();

 private:
  struct Moment {
    double at;
    Progress progress;
  };
  void remember(const Progress& progress, double elapsed_seconds);
  std::string lines(const Progress& progress, double elapsed_seconds, unsigned columns) const;

  const std::string title_;
  const double length_seconds_, grace_seconds_;
  const uint64_t arrivals_;
  const bool has_colours_;
  unsigned lines_drawn_ = 0;
  std::deque<Moment> moments_;           // of the last seconds, the oldest first
  std::vector<uint64_t> ended_by_then_;  // at the begin of each second
};

}  // namespace breakwater::storm
