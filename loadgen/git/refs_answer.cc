#include "git/refs_answer.h"

#include <optional>

namespace breakwater::storm {

void RefsAnswerReader::take_flush() {
  if (complete_) complain(GitFault::not_git, "a second end of the refs");
  complete_ = true;
}

void RefsAnswerReader::end() {
  if (!complete_ || !between_lines()) complain(GitFault::truncated, "the list of refs ends before its flush");
}

void RefsAnswerReader::take_line(std::string_view line) {
  if (complete_) return complain(GitFault::not_git, "lines behind the end of the refs");
  std::string_view rest = line;
  const std::string_view first = take_word(rest);
  Ref ref;
  ref.name = take_word(rest);
  const std::optional<ObjectId> id = ObjectId::parse(first);
  if ((!id && first != "unborn") || ref.name.empty())
    return complain(GitFault::not_git, "a line that is no ref");
  if (id) ref.id = *id;
  while (!rest.empty()) {
    std::string_view value = take_word(rest);
    const std::string_view attribute = take_word(value, ':');
    if (attribute == "symref-target") ref.symref_target = value;
    if (attribute == "peeled") ref.peeled = ObjectId::parse(value).value_or(ObjectId{});
  }
  if (id) refs_++;
  if (on_ref_ != nullptr) on_ref_(context_, ref);
}

}  // namespace breakwater::storm
