#include "git/push_answer.h"

namespace breakwater::storm {

bool PushAnswerReader::take(std::string_view piece) {
  using Saw = PktWalker::Saw;
  for (;;) {
    switch (lines_.next(piece)) {
      case Saw::nothing:
        return !complaint();
      case Saw::broken:
        return false;
      case Saw::piece:
        lines_.band() != 0 ? take_band() : take_line(lines_.line());
        break;
      case Saw::flush:
        (has_bands_ ? bands_ended_ : ended_) = true;
        break;
      case Saw::delimiter:
      case Saw::response_end:
        complain(GitFault::not_git, "a special pkt-line that a report has not");
        break;
    }
    if (complaint() && complaint().fault != GitFault::sideband) return false;
  }
}

void PushAnswerReader::take_band() {
  has_bands_ = true;
  const std::string_view bytes = lines_.line();
  if (lines_.band() == 1) return take_report(bytes);
  if (lines_.band() == 2) return;  // progress, and what hooks say
  if (complaint()) return lines_.go_on(bytes);
  complain(GitFault::sideband, bytes);
}

void PushAnswerReader::take_report(std::string_view bytes) {
  using Saw = PktWalker::Saw;
  for (;;) {
    switch (report_.next(bytes)) {
      case Saw::nothing:
        return;
      case Saw::broken:
        return complain(report_.complaint().fault, report_.complaint().text);
      case Saw::piece:
        take_line(report_.line());
        break;
      case Saw::flush:
        ended_ = true;
        break;
      case Saw::delimiter:
      case Saw::response_end:
        return complain(GitFault::not_git, "a special pkt-line that a report has not");
    }
  }
}

void PushAnswerReader::take_line(std::string_view line) {
  std::string_view rest = line;
  const std::string_view word = take_word(rest);
  if (word == "unpack") {
    if (rest != "ok") return complain(GitFault::refused, line);
    unpacked_ = true;
  } else if (word == "ok") {
    taken_ = true;
  } else if (word == "ng") {
    complain(GitFault::refused, rest);
  } else if (word != "option") {
    complain(GitFault::not_git, "a line that a report has not");
  }
}

void PushAnswerReader::end() {
  if (complaint()) return;
  if (!ended_ || has_bands_ != bands_ended_ || !lines_.between_lines() || !report_.between_lines())
    complain(GitFault::truncated, "the report of the push ends before its flush");
  else if (!unpacked_ || !taken_)
    complain(GitFault::not_git, "the report of the push does not say what became of it");
}

}  // namespace breakwater::storm
