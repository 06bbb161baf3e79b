#include "git/text_lines.h"

#include <utility>

namespace breakwater::storm {

bool TextLines::take(std::string_view piece) {
  using Saw = PktWalker::Saw;
  for (;;) {
    switch (next(piece)) {
      case Saw::nothing:
        return !complaint_;
      case Saw::broken:
        return false;
      case Saw::piece:
        band_ != 0 ? take_band(band_, line_) : take_line(line_);
        break;
      case Saw::flush:
        take_flush();
        break;
      case Saw::delimiter:
        take_delimiter();
        break;
      case Saw::response_end:
        complain_of_special();
        break;
    }
    if (is_of_no_use()) return false;
  }
}

void TextLines::complain_of_special() {
  complain(GitFault::not_git, "a special pkt-line that " + std::string(what_) + " has not");
}

void TextLines::complain_of_band_3(std::string_view words) {
  if (complaint_) return complaint_.go_on(words);
  complain(GitFault::sideband, words);
}

PktWalker::Saw TextLines::next(std::string_view& in) {
  using Saw = PktWalker::Saw;
  if (is_of_no_use()) return Saw::broken;
  if (std::exchange(was_given_, false)) gathered_.clear();
  for (;;) {
    const Saw saw = walker_.next(in);
    if (saw == Saw::broken) complain(GitFault::not_git, "not a pkt-line");
    if (saw != Saw::piece) return saw;
    if (is_of_band()) return saw;
    if (gathered_.size() + walker_.piece().size() > line_bytes_max) {
      complain(GitFault::not_git, "a line that is too long");
      return Saw::broken;
    }
    if (walker_.begins() && walker_.ends()) {
      line_ = walker_.piece();
    } else {
      gathered_ += walker_.piece();
      if (!walker_.ends()) continue;
      line_ = gathered_;
      was_given_ = true;
    }
    if (line_.ends_with('\n')) line_.remove_suffix(1);
    if (!line_.starts_with("ERR ")) return Saw::piece;
    complain(GitFault::error, line_.substr(4));
    return Saw::broken;
  }
}

bool TextLines::is_of_band() noexcept {
  line_ = walker_.piece();
  if (walker_.begins()) {
    const bool has_band = may_have_bands_ && !line_.empty() && line_.front() >= 1 && line_.front() <= 3;
    band_ = has_band ? static_cast<uint8_t>(line_.front()) : 0;
    if (has_band) line_.remove_prefix(1);
  }
  return band_ != 0;
}

std::string_view take_word(std::string_view& text, char separator) noexcept {
  const size_t end = text.find(separator);
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return word;
}

}  // namespace breakwater::storm
