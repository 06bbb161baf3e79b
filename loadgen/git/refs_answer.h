// Reads the answer to the command ls-refs (gitprotocol-v2), as it comes. Keeps no refs.
#pragma once

#include <string_view>

#include "git/advertisement.h"
#include "git/text_lines.h"

namespace breakwater::storm {

class RefsAnswerReader : public TextLines {
 public:
  RefsAnswerReader(OnRef on_ref, void* context) noexcept
      : TextLines("a list of refs"), on_ref_(on_ref), context_(context) {}

  void end();
  bool is_complete() const noexcept { return complete_ && !complaint(); }
  uint32_t refs() const noexcept { return refs_; }

 private:
  void take_line(std::string_view line) override;
  void take_flush() override;

  OnRef on_ref_;
  void* context_;
  bool complete_ = false;
  uint32_t refs_ = 0;
};

}  // namespace breakwater::storm
