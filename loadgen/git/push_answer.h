// Reads what a server says of a push: report-status, on band 1 or bare (gitprotocol-pack), as it comes.
#pragma once

#include <string_view>

#include "git/text_lines.h"

namespace breakwater::storm {

class PushAnswerReader {
 public:
  PushAnswerReader() noexcept { lines_.expect_bands(); }

  bool take(std::string_view piece);  // false: complaint()
  void end();
  // "unpack ok", and the ref was taken. A complaint otherwise: refused with the server's reason.
  bool is_taken() const noexcept { return unpacked_ && taken_ && ended_ && !complaint(); }
  const Complaint& complaint() const noexcept { return lines_.complaint(); }

 private:
  void take_report(std::string_view bytes);
  void take_line(std::string_view line);
  void take_band();
  void complain(GitFault fault, std::string_view words) { lines_.complain(fault, words); }

  TextLines lines_;
  TextLines report_;  // within band 1
  bool unpacked_ = false, taken_ = false;
  bool ended_ = false;  // the report
  bool has_bands_ = false, bands_ended_ = false;
};

}  // namespace breakwater::storm
