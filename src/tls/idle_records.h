// Records that hold no data (empty ones, key updates, tickets) cost whoever opens them a decryption or more,
// and a peer may send as many as it likes: this counts them, and tells when it is a storm.
#pragma once

#include <cstddef>
#include <cstdint>

namespace breakwater::tls {

class IdleRecords {
 public:
  // That may come in a row; each `bytes_per_record` of data allow one more.
  static constexpr int32_t most = 32;
  static constexpr int64_t bytes_per_record = 64 * 1024;
  // Many more than an honest handshake has, in which each message may lie in a record of its own.
  static constexpr int32_t handshake_records_max = 256;

  IdleRecords() = default;
  // The handshake's messages are no storm; counting begins anew behind it.
  static IdleRecords of_handshake() noexcept {
    IdleRecords records;
    records.count_ = most - handshake_records_max;
    return records;
  }
  void handshake_is_over() noexcept { count_ = 0; }
  void record_came() noexcept {
    is_new_ = true;
    count_++;
  }
  // So many bytes of data came out of the record that came last.
  void data_came(size_t bytes) noexcept {
    if (is_new_ && count_ > 0) count_--;
    is_new_ = false;
    data_bytes_ += static_cast<int64_t>(bytes);
    if (data_bytes_ < bytes_per_record) return;
    data_bytes_ -= bytes_per_record;
    if (count_ > 0) count_--;
  }
  bool are_too_many() const noexcept { return count_ > most; }

 private:
  int32_t count_ = 0;
  bool is_new_ = false;     // no data came out of it so far
  int64_t data_bytes_ = 0;  // since the last record that they paid for
};

}  // namespace breakwater::tls
