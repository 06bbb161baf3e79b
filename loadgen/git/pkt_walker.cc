#include "git/pkt_walker.h"

#include <algorithm>
#include <utility>

#include "wire/pkt_line.h"

namespace breakwater::storm {

PktWalker::Saw PktWalker::next(std::string_view& in) noexcept {
  if (broken_) return Saw::broken;
  if (!in_payload_) {
    while (digits_ < length_.size() && !in.empty()) {
      length_[digits_++] = in.front();
      in.remove_prefix(1);
    }
    if (digits_ < length_.size()) return Saw::nothing;
    const Saw saw = end_of_length();
    if (saw != Saw::piece) return saw;
    began_ = false;
  }
  if (in.empty() && left_ > 0) return Saw::nothing;
  piece_ = in.substr(0, std::min(left_, in.size()));
  in.remove_prefix(piece_.size());
  left_ -= piece_.size();
  begins_ = !std::exchange(began_, true);
  in_payload_ = left_ > 0;
  return Saw::piece;
}

PktWalker::Saw PktWalker::end_of_length() noexcept {
  digits_ = 0;
  const size_t length = wire::pkt_line_length({length_.data(), length_.size()});
  switch (length) {
    case 0:
      return Saw::flush;
    case 1:
      return Saw::delimiter;
    case 2:
      return Saw::response_end;
    default:
      break;
  }
  if (length < length_.size() || length > wire::pkt_line_bytes_max) {
    broken_ = true;
    return Saw::broken;
  }
  left_ = length - length_.size();
  in_payload_ = true;
  return Saw::piece;
}

}  // namespace breakwater::storm
