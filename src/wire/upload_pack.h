// What the proxy has to know of upload-pack beyond HTTP (gitprotocol-pack(5), gitprotocol-v2(5)): how to see
// by Git's own framing that an answer is whole, for answers that HTTP lets end with the connection.
//
// Answers of protocol v2 are pkt-lines up to one flush-pkt. Answers of v0 and v1 are pkt-lines whose pack, if
// the client asked for side-band or side-band-64k, comes in sideband 1, and the flush-pkt behind it is the
// end (the one behind a shallow section is not). Without a sideband the pack ends in its own hash: nothing
// that could be seen in passing. Behind an `ERR` line or a fatal message (sideband 3) any
// pkt-line may be the last: Git's client shows the message and fails. Pure; no allocation.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace breakwater::wire {

enum class UploadPackAnswer : uint8_t {
  unprovable,  // its end can't be told
  sideband,    // v0, v1: a pack in sideband 1, then a flush-pkt
  v2,          // pkt-lines, then a flush-pkt
};

struct UploadPackAsk {
  UploadPackAnswer answer = UploadPackAnswer::unprovable;
  bool is_fetch = false;      // a pack may come
  bool pack_is_sure = false;  // the request says `done`: what comes is a pack, or an error
  bool has_haves = false;     // it names commits that the client has
};
// What a whole request body asks for. `encoded`: it has a Content-Encoding, so nothing in it can be read.
UploadPackAsk read_upload_pack_request(uint8_t protocol_version, bool encoded,
                                       std::string_view body) noexcept;

class UploadPackEnd {
 public:
  void start(UploadPackAnswer answer) noexcept;
  // The next bytes of the answer, in pieces of any size.
  void look(std::string_view bytes) noexcept;
  // Bytes that come next and need no look (the rest of a pkt-line), and: so many of them passed.
  uint64_t opaque() const noexcept;
  void skip(uint64_t bytes) noexcept;
  uint64_t line_bytes() const noexcept { return line_bytes_; }  // of the pkt-line that is passing
  // If the answer ended here it would be whole.
  bool proven() const noexcept { return head_bytes_ == 0 && left_ == 0 && proven_; }

 private:
  void take_length() noexcept;
  void take_lead() noexcept;

  static constexpr size_t length_digits = 4;
  static constexpr size_t lead_bytes = 4;  // of a payload: enough to tell ERR and a sideband

  UploadPackAnswer answer_ = UploadPackAnswer::unprovable;
  bool malformed_ = false;  // no pkt-lines: nothing is proven any more
  bool pack_seen_ = false;
  bool fatal_ = false;  // Git said that it failed: whatever comes behind that, its client fails
  bool proven_ = false;
  std::array<char, length_digits + lead_bytes> head_;  // of the pkt-line that is being read
  uint32_t head_bytes_ = 0;                            // in head_; 0 between pkt-lines and behind the lead
  uint64_t left_ = 0;                                  // of the pkt-line, beyond what stands in head_
  uint64_t line_bytes_ = 0;
};

}  // namespace breakwater::wire
