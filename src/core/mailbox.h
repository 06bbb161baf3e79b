// The only door between threads: anyone may post a message to a core; its thread hears of it in its loop.
//
// Messages are few (stop, drain, report; later reload), so a bit set and an eventfd do; the eventfd is read
// through the ring. Posting the same message twice before it was heard is heard once.
// docs/decisions/0002-mailbox.md says why not MSG_RING.
#pragma once

#include <atomic>
#include <cstdint>

#include "ring/op.h"
#include "ring/ring.h"

namespace breakwater {

class Mailbox {
 public:
  enum Message : uint32_t { drain = 1, stop_now = 2, report = 4 };
  using Hook = void (*)(void* context, uint32_t messages);

  Mailbox();
  ~Mailbox();
  bool ready() const noexcept { return event_ >= 0; }
  void post(Message message) noexcept;  // any thread

  // The core's thread.
  void listen(Ring& ring, Hook hook, void* context) noexcept;
  void close() noexcept;  // the read ends with the next turns

 private:
  static void on_event(Op& op);

  int event_;
  std::atomic<uint32_t> posted_{0};
  uint64_t value_ = 0;
  bool closed_ = false;
  Op read_;
  Ring* ring_ = nullptr;
  Hook hook_ = nullptr;
  void* context_ = nullptr;
};

}  // namespace breakwater
