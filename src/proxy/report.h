// Report: what one core serves at one moment, written down for one other thread that asked for it.
//
// Cores share nothing, so nobody looks at their requests from outside. Whoever wants to know calls ask(),
// posts Mailbox::report, and finds the rows here some microseconds later. The rows belong to the core's
// thread from ask() until is_answered(), and to the other thread from then on; a core that is asked for
// nothing does nothing. An answer that comes too late for who asked is forgotten with the next ask().
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace breakwater::proxy {

// A text that is cut at its size.
template <size_t size>
class CutText {
 public:
  void assign(std::string_view text) noexcept {
    bytes_ = static_cast<uint16_t>(text.copy(text_.data(), std::min(text.size(), size)));
  }
  std::string_view view() const noexcept { return {text_.data(), bytes_}; }

 private:
  std::array<char, size> text_;
  uint16_t bytes_ = 0;
};

// What is to be written down.
enum class Listing : uint8_t { all, waiting };

// One request that is being served.
struct OperationRow {
  static constexpr uint32_t none = UINT32_MAX;

  std::array<char, 16> id;
  uint32_t pool = none;
  std::string_view server;     // its label, which stays as it is for as long as any core runs; empty: none
  std::string_view operation;  // these three are constants of the program
  std::string_view phase;
  std::string_view queued_for;  // the limit that it waits for, or has waited for; empty: none
  CutText<56> client;
  bool is_git = false;
  CutText<255> what;  // the repository, or the redacted path of what is not Git
  int64_t age_ns = 0;
  int64_t idle_ns = 0;  // since something of it moved
  uint64_t bytes_in = 0;
  uint64_t bytes_out = 0;
  uint32_t attempts = 0;
  // While it waits in its pool's queue:
  uint32_t position = 0;             // on its core, 1: the next; 0: it does not wait
  std::string_view operation_class;  // a constant, too: "fetch", "clone"
  int64_t waited_ns = 0;
  int64_t patience_ns = 0;  // until its wait is over
};

class Report {
 public:
  static constexpr size_t rows_max = 4096;
  static_assert(sizeof(OperationRow) <= 512);  // so they take 2 MiB at most

  // ---- the thread that asks
  void ask(Listing listing = Listing::all) {
    wanted_.store(listing, std::memory_order_relaxed);
    if (state_.load(std::memory_order_acquire) == State::asked) return;  // it still owes the last answer
    if (rows_ == nullptr) rows_ = std::make_unique<std::array<OperationRow, rows_max>>();
    state_.store(State::asked, std::memory_order_release);
  }
  // The answer may be one that was owed from before, of another listing.
  bool is_answered() const noexcept { return state_.load(std::memory_order_acquire) == State::answered; }
  Listing listing() const noexcept { return listing_; }
  // Those that had room, and how many there are.
  std::span<const OperationRow> rows() const noexcept {
    return {rows_->data(), std::min<size_t>(count_, rows_max)};
  }
  uint64_t count() const noexcept { return count_; }

  // ---- the core's thread
  bool is_asked_for() const noexcept { return state_.load(std::memory_order_acquire) == State::asked; }
  Listing begin() noexcept {
    count_ = 0;
    return listing_ = wanted_.load(std::memory_order_relaxed);
  }
  OperationRow* add() noexcept {  // null: no room
    return count_++ < rows_max ? &(*rows_)[count_ - 1] : nullptr;
  }
  void publish() noexcept { state_.store(State::answered, std::memory_order_release); }

 private:
  enum class State : uint8_t { unused, asked, answered };

  std::atomic<State> state_{State::unused};
  std::atomic<Listing> wanted_{Listing::all};
  Listing listing_ = Listing::all;                            // of the rows
  std::unique_ptr<std::array<OperationRow, rows_max>> rows_;  // made when it is asked for the first time
  uint64_t count_ = 0;
};

}  // namespace breakwater::proxy
