// Keys of one table of which one bounds the other, or means nothing without it.
#pragma once

#include "config/message.h"
#include "config/origins.h"
#include "config/problems.h"
#include "config/rules.h"
#include "config/units.h"

namespace breakwater::config {

// One table with what is known of its keys.
struct TableDraft {
  Findings& findings;
  std::string title;  // "[pool.gogs]"
  KeyOrigins& origins;
};

inline bool is_wrong(const KeyOrigins& origins, std::string_view key) {
  const auto origin = origins.find(key);
  return origin != origins.end() && origin->second.from == Origin::From::wrong;
}

// A key that was written, and does nothing without `other`: "a `probe`".
inline void report_unused(const TableDraft& in, std::string_view key, std::string_view other,
                          std::string hint = "") {
  const auto origin = in.origins.find(key);
  if (origin != in.origins.end())
    in.findings.report(origin->second.place,
                       ticked(key) + " in " + in.title + " is only used with " + std::string(other),
                       std::move(hint));
}

// `less` may not be more than `more`. If both were asked for, that is an error; else the default gives way.
template <typename Owner>
void check_order(const TableDraft& in, Owner& owner, const DurationKey<Owner>& less,
                 const DurationKey<Owner>& more) {
  Duration& small = owner.*less.member;
  Duration& large = owner.*more.member;
  if (small <= large || is_wrong(in.origins, less.name) || is_wrong(in.origins, more.name)) return;
  const auto of_small = in.origins.find(less.name), of_large = in.origins.find(more.name);
  if (of_large == in.origins.end()) {
    large = small;
    in.origins[more.name] = {Origin::From::follows, of_small->second.place};
  } else if (of_small == in.origins.end()) {
    small = large;
    in.origins[less.name] = {Origin::From::follows, of_large->second.place};
  } else {
    in.findings.report(of_small->second.place, ticked(less.name) + " in " + in.title + " is " +
                                                   format_duration(small) + ", more than the " +
                                                   format_duration(large) + " of " + ticked(more.name));
  }
}

}  // namespace breakwater::config
