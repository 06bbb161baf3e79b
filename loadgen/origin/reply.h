// What one request is answered with, decided before the first byte is sent: made by answer.h, sent by
// session.cc. A value; what it refers to it keeps alive, or stays for as long as the server.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "git/synthetic_repository.h"
#include "origin/faults.h"

namespace breakwater::storm::origin {

struct Reply {
  uint16_t status = 200;
  std::string type;    // of the content; empty: no such field
  std::string fields;  // more of the head's, each with its line end
  // The body: these, one behind the other.
  std::string front;
  std::shared_ptr<const std::string> shared;
  std::shared_ptr<const FetchPlan> plan;  // its pack; in packets of sideband 1 ...
  uint16_t packet_bytes = 0;              // ... of so many bytes at most, head and all; 0: as it is
  uint64_t pack_bytes_max = UINT64_MAX;   // and no more of it than this
  std::string back;

  bool is_streamed = false;  // its length is not told in advance, as of what a program writes
  int64_t delay_ns = 0;      // behind `front`
  uint64_t rate = 0;         // bytes a second; 0: no limit
  bool may_keep_alive = true;

  std::optional<Fault> fault;  // chosen; what it says of bytes is still to be done
  bool has_pack() const noexcept { return plan != nullptr; }
};

}  // namespace breakwater::storm::origin
