// The payload of an answer that its server has compressed (Content-Encoding: gzip or deflate, RFC 9110 §8.4):
// Git offers that with every request, so a proxy in front of it may do so. Memory of zlib's (40 KiB) for as
// long as the answer lasts.
#pragma once

#include <zlib.h>

#include <memory>
#include <span>
#include <string_view>

namespace breakwater::storm {

class Inflater {
 public:
  // Null: as it is. One that is not usable: of a coding that we don't know (br, zstd), or without memory.
  static std::unique_ptr<Inflater> of(std::string_view coding);
  ~Inflater();
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  bool is_usable() const noexcept { return usable_; }
  // The next bytes that come out of `compressed`, which gets shorter, in `room`; empty when it is used up.
  std::string_view next(std::string_view& compressed, std::span<char> room) noexcept;
  bool is_whole() const noexcept { return whole_; }
  bool failed() const noexcept { return failed_; }

 private:
  explicit Inflater(bool known) noexcept;
  z_stream stream_{};
  bool usable_ = false;
  bool whole_ = false;
  bool failed_ = false;
};

}  // namespace breakwater::storm
