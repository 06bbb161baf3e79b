// A request's body on its way into git: framing taken off, gzip undone, in constant memory.
#pragma once

#include <zlib.h>

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

#include "wire/http_body.h"

namespace breakwater::origin {

// Undoes one gzip stream piece by piece.
class GzipReader {
 public:
  GzipReader();
  GzipReader(const GzipReader&) = delete;
  GzipReader& operator=(const GzipReader&) = delete;
  ~GzipReader();

  // Give it input only when input_empty().
  void set_input(std::span<char> bytes);
  bool input_empty() const { return stream_.avail_in == 0; }
  // The next decoded bytes; empty when it needs input, is finished or has failed. Valid until the next call.
  std::string_view next();
  bool finished() const { return finished_; }
  bool failed() const { return failed_; }

 private:
  z_stream stream_{};
  bool finished_ = false;
  bool failed_ = false;
  std::array<char, 32 * 1024> out_;
};

// Bytes of the connection go in at one end, bytes for git come out at the other.
class RequestBody {
 public:
  enum class State : uint8_t {
    ready,       // pending() has bytes for git
    needs_more,  // give it what the connection brings next, with add()
    done,        // all of the body has been taken
    malformed,   // broken framing or broken gzip: refuse or abort
  };

  // `raw` is what has been received behind the head; it may be moved about in place.
  RequestBody(const wire::BodyFraming& framing, bool gzipped, std::span<char> raw);

  State advance();
  std::string_view pending() const { return pending_; }
  void take(size_t bytes) { pending_.remove_prefix(bytes); }
  void discard();  // git reads no more: what comes is walked and dropped
  void add(std::span<char> raw) { raw_ = raw; }
  bool connection_ended() { return reader_.end_of_connection(); }
  // Behind the end of the body: the start of the next request.
  std::span<const char> rest() const { return raw_; }

 private:
  bool next_piece(std::span<char>& piece);

  wire::BodyReader reader_;
  wire::Pieces pieces_;
  size_t piece_index_ = 0;
  std::span<char> raw_;
  std::string_view pending_;
  bool gzipped_;
  bool discard_ = false;
  GzipReader inflater_;
};

}  // namespace breakwater::origin
