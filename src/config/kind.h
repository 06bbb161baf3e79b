// What the word `kind` of a pool stands for: the keys in which servers of that kind differ from the defaults.
// A key in the file wins over it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"

namespace breakwater::config {

struct KindFact {
  std::string_view key;  // of [pool.NAME], "fold_case"
  std::string text;      // for people: "path case is folded"
};

// Everything that `kind` says, in one order for all kinds.
std::vector<KindFact> facts_of(Kind kind);

// Sets what the pool's kind says about `key`, which must be among its facts.
void set_fact(Pool& pool, std::string_view key);

}  // namespace breakwater::config
