// Reads what a server says of a push: report-status, on band 1 or bare (gitprotocol-pack), as it comes.
#pragma once

#include <string_view>

#include "git/text_lines.h"

namespace breakwater::storm {

class PushAnswerReader : public TextLines {
 public:
  PushAnswerReader() noexcept : TextLines("a report") { expect_bands(); }

  void end();
  // "unpack ok", and the ref was taken. A complaint otherwise: refused with the server's reason.
  bool is_taken() const noexcept { return report_.says_taken() && !complaint(); }

 private:
  // The report itself, within band 1 or bare.
  class Report : public TextLines {
   public:
    Report() noexcept : TextLines("a report") {}
    void take_line(std::string_view line) override;
    void take_flush() override;
    bool has_ended() const noexcept { return ended_; }
    bool is_whole() const noexcept { return ended_ && between_lines(); }
    bool says_taken() const noexcept { return unpacked_ && taken_ && ended_; }

   private:
    bool unpacked_ = false, taken_ = false;
    bool ended_ = false;
  };

  void take_line(std::string_view line) override;
  void take_flush() override;
  void take_band(uint8_t band, std::string_view bytes) override;
  void adopt_complaint();

  Report report_;
  bool has_bands_ = false, bands_ended_ = false;
};

}  // namespace breakwater::storm
