#include "git/fetch_answer.h"

#include <algorithm>
#include <optional>

namespace breakwater::storm {

FetchAnswerReader::FetchAnswerReader(const Question& question, PackCheck& pack) noexcept
    : TextLines("an answer to a fetch"), question_(question), pack_(pack) {
  if (question.version == 2) {
    state_ = State::section;
    return;
  }
  state_ = question.has_depth ? State::shallow : State::answers;
  expect_bands();
}

void FetchAnswerReader::take_line(std::string_view line) {
  switch (state_) {
    case State::shallow:
      return take_end_of_history(line);
    case State::answers:
      return take_acknowledgement(line);
    case State::section:
      return take_section(line);
    case State::in_section:
      if (hears_acknowledgements_) return take_acknowledgement(line);
      return is_shallow_info_ ? take_end_of_history(line) : void();
    case State::packfile:
      return complain("a line that is of no band");
    case State::complete:
      return complain("lines behind the end of the answer");
  }
}

// "shallow <id>", "unshallow <id>".
void FetchAnswerReader::take_end_of_history(std::string_view line) {
  const std::string_view word = take_word(line);
  if ((word != "shallow" && word != "unshallow") || !ObjectId::parse(line))
    complain("no end of a shallow history");
}

// "NAK", "ACK <id>", "ACK <id> common", of v2 "ready".
void FetchAnswerReader::take_acknowledgement(std::string_view line) {
  if (line == "ready") {
    is_ready_ = true;
    return;
  }
  answered_ = true;
  if (line == "NAK") return;
  if (take_word(line) != "ACK") return complain("neither ACK nor NAK");
  const std::optional<ObjectId> id = ObjectId::parse(take_word(line));
  if (!id) return complain("an ACK of nothing");
  if (!line.empty() && line != "common" && line != "ready" && line != "continue")
    return complain("an ACK that says what no ACK says");
  if (line == "ready") is_ready_ = true;
  // Where acknowledgements are detailed, as we ask for, v0 says this right before the pack, and nowhere else.
  if (line.empty() && question_.version != 2) is_ready_ = true;
  const bool is_known = std::find(common_.begin(), common_.end(), *id) != common_.end();
  if (!is_known && common_.size() < common_max) common_.push_back(*id);
}

void FetchAnswerReader::take_section(std::string_view name) {
  hears_acknowledgements_ = name == "acknowledgments";
  is_shallow_info_ = name == "shallow-info";
  if (name == "packfile") {
    state_ = State::packfile;
    expect_bands();
  } else if (hears_acknowledgements_ || is_shallow_info_ || name == "wanted-refs") {
    state_ = State::in_section;
  } else {
    complain("a section that was not asked for");
  }
}

void FetchAnswerReader::take_band(uint8_t band, std::string_view bytes) {
  if (state_ != State::packfile && !(state_ == State::answers && answered_))
    return complain("a band where none may be");
  state_ = State::packfile;
  if (band == 3) return complain_of_band_3(bytes);
  if (band == 2) return;  // progress
  if (!pack_.take(bytes)) return TextLines::complain(pack_.complaint().fault, pack_.complaint().text);
  if (on_pack_ != nullptr) on_pack_(context_, bytes);
}

void FetchAnswerReader::take_flush() {
  const bool ends_pack = state_ == State::packfile && pack_.has_begun();
  const bool ends_round = state_ == State::in_section && hears_acknowledgements_ && !is_ready_;
  if (state_ == State::shallow)
    state_ = State::answers;
  else if (ends_pack || ends_round)
    state_ = State::complete;
  else
    complain("a flush where none may be");
}

void FetchAnswerReader::take_delimiter() {
  if (state_ != State::in_section) return complain("a delimiter where none may be");
  state_ = State::section;
}

void FetchAnswerReader::end() {
  if (complaint()) return;
  // v0 and v1 say what both have, and nothing more, until they know enough; then they go on (`no-done`).
  const bool is_round = state_ == State::answers && answered_ && !is_ready_ && !question_.is_done;
  if ((state_ != State::complete && !is_round) || !between_lines())
    return TextLines::complain(GitFault::truncated, pack_.has_begun() ? "the answer ends in its pack"
                                                                      : "the answer ends before its pack");
  if (pack_.has_begun()) pack_.end();
  if (pack_.complaint()) TextLines::complain(pack_.complaint().fault, pack_.complaint().text);
  if (!pack_.has_begun() && question_.is_done)
    TextLines::complain(GitFault::not_git, "an answer without a pack");
}

}  // namespace breakwater::storm
