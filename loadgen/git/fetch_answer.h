// Reads the answer to a fetch (gitprotocol-pack, gitprotocol-v2), as it comes, in pieces of any size: what
// the server says of commits that both have, of a shallow history's ends, then the pack, which goes to a
// PackCheck, and to whoever keeps it, piece by piece as it lies.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "git/object_id.h"
#include "git/pack_check.h"
#include "git/text_lines.h"

namespace breakwater::storm {

class FetchAnswerReader : public TextLines {
 public:
  struct Question {
    uint8_t version = 2;
    bool has_depth = false;  // v0 and v1 answer that with the ends of the history first
    bool is_done = true;     // the request had `done`: then a pack follows in any case
  };
  using OnPack = void (*)(void* context, std::string_view bytes);
  // Of the commits that both have so many are kept, for the next round of v0 and v1.
  static constexpr size_t common_max = 64;

  FetchAnswerReader(const Question& question, PackCheck& pack) noexcept;
  // Hears of all the pack's bytes.
  void set_keeper(OnPack on_pack, void* context) noexcept {
    on_pack_ = on_pack;
    context_ = context;
  }

  void end();
  // After end() without a complaint: the pack has come, or there is none yet and another round is needed.
  bool needs_another_round() const noexcept { return !pack_.has_begun(); }
  const std::vector<ObjectId>& common() const noexcept { return common_; }
  bool is_ready() const noexcept { return is_ready_; }  // the server knows enough: a pack must follow

 private:
  enum class State : uint8_t {
    shallow,     // v0, v1: lines up to a flush
    answers,     // v0, v1: ACK and NAK, then the pack
    section,     // v2: the name of the next
    in_section,  // v2: its lines
    packfile,
    complete,
  };
  void take_line(std::string_view line) override;
  void take_end_of_history(std::string_view line);
  void take_acknowledgement(std::string_view line);
  void take_section(std::string_view name);
  void take_band(uint8_t band, std::string_view bytes) override;
  void take_flush() override;
  void take_delimiter() override;
  void complain(std::string_view words) { TextLines::complain(GitFault::not_git, words); }

  const Question question_;
  PackCheck& pack_;
  OnPack on_pack_ = nullptr;
  void* context_ = nullptr;
  State state_;
  bool answered_ = false;  // an ACK or a NAK came
  bool is_ready_ = false;
  bool hears_acknowledgements_ = false;  // v2: the section is theirs
  bool is_shallow_info_ = false;         // v2: it is that
  std::vector<ObjectId> common_;
};

}  // namespace breakwater::storm
