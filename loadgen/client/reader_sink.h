// ReaderSink: hands an answer's payload to one of the readers of git/, and makes one failure of what it and
// the exchange have to say: what Git said is more than how its answer ended.
#pragma once

#include "client/exchange.h"
#include "client/job.h"

namespace breakwater::storm {

template <typename Reader>
class ReaderSink : public Sink {
 public:
  ReaderSink(Job& job, Reader& reader) noexcept : job_(job), reader_(reader) {}
  bool take(std::string_view payload) override { return reader_.take(payload); }

  // Once the answer is over.
  Failure finish(Failure of_exchange) {
    if (!reader_.complaint()) {
      if (of_exchange != Failure::none) return of_exchange;
      reader_.end();
    }
    job_.words = reader_.complaint().text;
    return failure_of(reader_.complaint().fault);
  }

 private:
  Job& job_;
  Reader& reader_;
};

}  // namespace breakwater::storm
