// PackSink: where the answer to a fetch goes: through its reader, into a check, and, of some packs, into a
// file for git to look at, or no further than where their runner vanishes.
#pragma once

#include <algorithm>
#include <memory>
#include <utility>

#include "client/job.h"
#include "client/operation_fetch.h"
#include "client/reader_sink.h"
#include "git/fetch_answer.h"
#include "git/pack_check.h"

namespace breakwater::storm {

class PackSink : public ReaderSink<FetchAnswerReader> {
 public:
  PackSink(Job& job, PackCheck& check, FetchAnswerReader& reader, PackListener& listener) noexcept
      : ReaderSink(job, reader), job_(job), check_(check), listener_(listener) {
    if (listener.wants_beginning || job.kept != nullptr) reader.set_keeper(on_pack, this);
  }
  // The runner goes away when so many bytes of the pack have come.
  void vanish_at(uint64_t bytes) noexcept { vanish_at_ = bytes; }

  bool take(std::string_view payload) override {
    const bool goes_on = ReaderSink::take(payload);
    if (check_.has_begun()) job_.mark_now(Phase::first_pack);
    job_.outcome.vanished = goes_on && check_.bytes() >= vanish_at_;
    return goes_on && !job_.outcome.vanished;
  }

 private:
  static void on_pack(void* context, std::string_view bytes) {
    PackSink& self = *static_cast<PackSink*>(context);
    if (self.job_.kept != nullptr && !self.job_.kept->add(bytes)) self.job_.kept.reset();
    if (!self.listener_.wants_beginning) return;
    std::string& beginning = self.listener_.beginning;
    beginning += bytes.substr(0, std::min(bytes.size(), PackListener::beginning_max - beginning.size()));
  }

  Job& job_;
  PackCheck& check_;
  PackListener& listener_;
  uint64_t vanish_at_ = UINT64_MAX;
};

}  // namespace breakwater::storm
