// KernelRecords: a TLS connection of a client whose records the kernel seals and opens (Linux with
// CONFIG_TLS, from 6.1 on): what goes into its socket and comes out of it is data, so bodies can be spliced
// to it. Left to us is what is no data, which a receive tells by -EIO.
//
// Nothing here waits. One core.
#pragma once

#include <array>
#include <memory>
#include <optional>

#include "ring/sys.h"
#include "tls/client_messages.h"
#include "tls/fault.h"
#include "tls/idle_records.h"
#include "tls/records.h"
#include "tls/step.h"

namespace breakwater::tls {

class KernelRecords {
 public:
  // Gives the keys of `records` to the kernel. Null if it takes none, or not such: then nothing has changed.
  // If it takes those of one direction alone, the connection is of no use, and fault() says so.
  static std::unique_ptr<KernelRecords> take_over(int fd, const Records& records);

  // A receive came to an error that the kernel means for us (see is_for_us), or to the end. wants_input:
  // receive again; closed; or failed, see fault(), and the other side was told.
  Step receive_failed(int sys_errno) noexcept;
  static bool is_for_us(int sys_errno) noexcept;
  Step ended() noexcept;
  // What says that no more data comes (close_notify), or null if nothing more may be said. It stays in place
  // as long as this. To be waited for: at a close the kernel throws away the record of which the socket took
  // a part only, but one more record is not taken before it is out.
  const msghdr* end_message() noexcept;
  const Fault& fault() const noexcept { return fault_; }
  // So many bytes of data were received.
  void data_came(size_t bytes) noexcept {
    idle_records_.record_came();  // one at least
    idle_records_.data_came(bytes);
  }

 private:
  KernelRecords(int fd, const Records& records) noexcept
      : fd_(fd), sending_(records.sending.traffic_key()), receiving_(records.receiving.traffic_key()) {}

  int give(const TrafficKey& key, bool is_for_sending) noexcept;
  Step take_record() noexcept;
  Step fail(FaultKind kind, Alert alert) noexcept;
  void say(Alert alert) noexcept;
  bool update_receiving() noexcept { return receiving_.update() && give(receiving_, false) == 0; }
  bool update_sending() noexcept;

  int fd_;
  TrafficKey sending_, receiving_;  // what the next keys are made from
  ClientMessages messages_;
  IdleRecords idle_records_;
  Fault fault_;
  std::array<char, 2> end_content_ = alert_content(Alert::close_notify);
  std::optional<sys::TlsRecord> end_;
};

}  // namespace breakwater::tls
