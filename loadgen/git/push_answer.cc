#include "git/push_answer.h"

namespace breakwater::storm {

void PushAnswerReader::take_band(uint8_t band, std::string_view bytes) {
  if (bands_ended_ || (report_.has_ended() && !has_bands_))
    return complain(GitFault::not_git, "bands behind the report");
  has_bands_ = true;
  if (band == 3) return complain_of_band_3(bytes);
  if (band == 2) return;  // progress, and what hooks say
  report_.take(bytes);
  adopt_complaint();
}

void PushAnswerReader::take_line(std::string_view line) {
  report_.take_line(line);
  adopt_complaint();
}

void PushAnswerReader::take_flush() {
  if (!has_bands_) {
    report_.take_flush();
    return adopt_complaint();
  }
  if (bands_ended_) complain(GitFault::not_git, "a second end of the report");
  bands_ended_ = true;
}

void PushAnswerReader::adopt_complaint() {
  if (report_.complaint()) complain(report_.complaint().fault, report_.complaint().text);
}

void PushAnswerReader::Report::take_flush() {
  if (ended_) complain(GitFault::not_git, "a second end of the report");
  ended_ = true;
}

void PushAnswerReader::Report::take_line(std::string_view line) {
  if (ended_) return complain(GitFault::not_git, "lines behind the end of the report");
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
  if (!report_.is_whole() || has_bands_ != bands_ended_ || !between_lines())
    complain(GitFault::truncated, "the report of the push ends before its flush");
  else if (!report_.says_taken())
    complain(GitFault::not_git, "the report of the push does not say what became of it");
}

}  // namespace breakwater::storm
