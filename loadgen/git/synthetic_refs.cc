#include "git/synthetic_refs.h"

#include <algorithm>

#include "base/parse_number.h"

namespace breakwater::storm {

namespace {

constexpr size_t digits = 7;
constexpr std::string_view branch_prefix = "refs/heads/branch-";  // sorts before synthetic_head
constexpr std::string_view annotated_prefix = "refs/tags/annotated-";
constexpr std::string_view light_prefix = "refs/tags/light-";

std::string numbered(std::string_view prefix, uint32_t number) {
  std::string text = std::to_string(number);
  text.insert(0, digits - std::min(digits, text.size()), '0');
  return std::string(prefix) + text;
}

// Names are near each other, commits need not be.
size_t scattered(uint32_t number, size_t commits) noexcept {
  return static_cast<size_t>(number * 2654435761u) % commits;
}

// The number behind `prefix`, if that is what `name` is.
std::optional<uint32_t> number_of(std::string_view name, std::string_view prefix, uint32_t below) noexcept {
  if (!name.starts_with(prefix) || name.size() != prefix.size() + digits) return std::nullopt;
  uint32_t number = 0;
  if (!parse_number(name.substr(prefix.size()), number) || number >= below) return std::nullopt;
  return number;
}

}  // namespace

RefCounts::RefCounts(uint32_t refs) noexcept
    : annotated(std::min(refs / 8, annotated_tags_max)), light(refs / 4 - annotated) {
  branches = refs - annotated - light - 1;
}

std::string BaseRefs::annotated_name(uint32_t number) {
  return numbered(annotated_prefix, number).substr(std::string_view("refs/tags/").size());
}

size_t BaseRefs::commit_of_annotated(uint32_t number) const noexcept {
  return scattered(number + 1, commits.size());
}

ServedRef BaseRefs::operator[](uint32_t index) const {
  if (index < counts.branches)
    return {numbered(branch_prefix, index), commits[scattered(index, commits.size())], {}};
  index -= counts.branches;
  if (index == 0) return {std::string(synthetic_head), commits.back(), {}};
  index -= 1;
  if (index < counts.annotated)
    return {numbered(annotated_prefix, index), tags[index], commits[commit_of_annotated(index)]};
  index -= counts.annotated;
  return {numbered(light_prefix, index), commits[scattered(index + 2, commits.size())], {}};
}

std::optional<ObjectId> SyntheticRefs::find(std::string_view name) const {
  if (const auto changed = changed_.find(name); changed != changed_.end()) {
    if (changed->second.id.is_zero()) return std::nullopt;
    return changed->second.id;
  }
  const RefCounts& counts = base_->counts;
  if (name == synthetic_head) return base_->commits.back();
  if (const auto branch = number_of(name, branch_prefix, counts.branches)) return (*base_)[*branch].id;
  if (const auto tag = number_of(name, annotated_prefix, counts.annotated))
    return (*base_)[counts.branches + 1 + *tag].id;
  if (const auto tag = number_of(name, light_prefix, counts.light))
    return (*base_)[counts.branches + 1 + counts.annotated + *tag].id;
  return std::nullopt;
}

void SyntheticRefs::set(const std::string& name, const ObjectId& id, const ObjectId& peeled) {
  changed_[name] = {name, id, peeled};
}

}  // namespace breakwater::storm
