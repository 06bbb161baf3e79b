#include "git/advertisement.h"

#include <optional>

namespace breakwater::storm {

bool Capabilities::add(std::string_view capability) {
  if (all_.size() + capability.size() + 1 > bytes_max) return false;
  all_ += capability;
  all_ += '\n';
  return true;
}

std::string_view Capabilities::find(std::string_view name) const noexcept {
  std::string_view rest = all_;
  while (!rest.empty()) {
    const std::string_view each = take_word(rest, '\n');
    if (!each.starts_with(name)) continue;
    if (each.size() == name.size()) return each.substr(each.size());
    if (each[name.size()] == '=') return each.substr(name.size() + 1);
  }
  return {};
}

bool Capabilities::has_feature(std::string_view command, std::string_view feature) const noexcept {
  std::string_view features = find(command);
  while (!features.empty())
    if (take_word(features) == feature) return true;
  return false;
}

std::string_view Capabilities::head_target() const noexcept {
  std::string_view rest = all_;
  constexpr std::string_view start = "symref=HEAD:";
  while (!rest.empty()) {
    const std::string_view each = take_word(rest, '\n');
    if (each.starts_with(start)) return each.substr(start.size());
  }
  return {};
}

void AdvertisementReader::end() {
  if (state_ != State::complete || !between_lines())
    TextLines::complain(GitFault::truncated, "the advertisement ends before its flush");
}

void AdvertisementReader::take_line(std::string_view line) {
  switch (state_) {
    case State::first:
      return take_first(line);
    case State::behind_prologue:
      return complain("no flush behind the name of the service");
    case State::behind_version:
    case State::refs:
      return take_ref(line);
    case State::capabilities:
      return take_capabilities(line);
    case State::complete:
      return complain("lines behind the end of the advertisement");
  }
}

void AdvertisementReader::take_first(std::string_view line) {
  if (line.starts_with("# service=")) {
    if (has_prologue_) return complain("the name of the service twice");
    has_prologue_ = true;
    state_ = State::behind_prologue;
  } else if (line == "version 1") {
    version_ = 1;
    state_ = State::behind_version;
  } else if (line == "version 2") {
    version_ = 2;
    state_ = State::capabilities;
  } else {
    state_ = State::behind_version;
    take_ref(line);
  }
}

// The first has the capabilities behind a NUL. Without any ref there is one that is none.
void AdvertisementReader::take_ref(std::string_view line) {
  std::string_view name_and_more = line;
  const std::optional<ObjectId> id = ObjectId::parse(take_word(name_and_more));
  if (!id || name_and_more.empty()) {
    const bool is_shallow = line.starts_with("shallow ") && state_ == State::refs;
    return is_shallow ? void() : complain("a line that is no ref");
  }
  const std::string_view name = take_word(name_and_more, '\0');
  if (state_ == State::behind_version) {
    while (!name_and_more.empty()) {
      const std::string_view capability = take_word(name_and_more);
      if (!capability.empty()) take_capabilities(capability);
    }
  }
  state_ = State::refs;
  if (id->is_zero()) return;
  refs_++;
  if (on_ref_ != nullptr) on_ref_(context_, {.id = *id, .name = name, .peeled = {}, .symref_target = {}});
}

void AdvertisementReader::take_capabilities(std::string_view capability) {
  if (!capabilities_.add(capability)) complain("too many capabilities");
}

void AdvertisementReader::take_flush() {
  if (state_ == State::behind_prologue)
    state_ = State::first;
  else if (state_ == State::refs || state_ == State::capabilities || state_ == State::behind_version ||
           (state_ == State::first && has_prologue_))  // Gogs has an empty repository say nothing at all
    state_ = State::complete;
  else
    complain("a flush where none may be");
}

}  // namespace breakwater::storm
