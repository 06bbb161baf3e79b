// Writes heads into a caller's buffer. Never past its end: what does not fit sets overflowed() and is left
// out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "wire/http_head.h"

namespace breakwater::wire {

class HeadWriter {
 public:
  explicit HeadWriter(std::span<char> out) noexcept : out_(out) {}
  void request_line(std::string_view method, std::string_view path_query, uint8_t minor_version = 1) noexcept;
  void status_line(uint16_t status, std::string_view reason) noexcept;  // always HTTP/1.1
  void field(std::string_view name, std::string_view value) noexcept;
  void field(std::string_view name, uint64_t value) noexcept;
  void number(uint64_t value) noexcept;
  void text(std::string_view bytes) noexcept {
    if (overflowed_ || bytes.size() > out_.size() - bytes_) {
      overflowed_ = true;
      return;
    }
    if (!bytes.empty()) std::memcpy(out_.data() + bytes_, bytes.data(), bytes.size());
    bytes_ += bytes.size();
  }
  void end_of_head() noexcept { text("\r\n"); }
  size_t bytes() const noexcept { return bytes_; }
  bool overflowed() const noexcept { return overflowed_; }

 private:
  std::span<char> out_;
  size_t bytes_ = 0;
  bool overflowed_ = false;
};

std::string_view reason_phrase(uint16_t status) noexcept;

}  // namespace breakwater::wire
