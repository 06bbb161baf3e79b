// What connections are made with at the moment, a Context or a ClientContext: replaced as a whole, by any
// thread, while cores use it. Who took one keeps it as long as it likes.
#pragma once

#include <atomic>
#include <memory>
#include <utility>

#include "tls/context.h"

namespace breakwater::tls {

template <typename Made>
class Current {
 public:
  std::shared_ptr<const Made> get() const noexcept { return context_.load(); }
  void set(std::shared_ptr<const Made> context) noexcept { context_.store(std::move(context)); }

 private:
  std::atomic<std::shared_ptr<const Made>> context_;
};

}  // namespace breakwater::tls
