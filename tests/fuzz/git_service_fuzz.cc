// Classification: a push is never taken for a read, a repository name is printable, and a path that is
// spelled with escapes where it needs none means the same.
#include <string>
#include <string_view>

#include "base/assert.h"
#include "wire/git_service.h"

using namespace breakwater::wire;

namespace {

struct Seen {
  RequestHead request;
  GitRequest git;
};

// False if there is no such request.
bool see(std::string_view method, std::string_view target, std::string& head, Seen& seen) {
  head.assign(method).append(" ").append(target);
  head += " HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-git-upload-pack-request\r\n\r\n";
  if (parse_request(head, {}, seen.request) != Fault::none) return false;
  classify(seen.request, seen.git);
  return true;
}

bool is_unreserved(char byte) {
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
         std::string_view("-._~").find(byte) != std::string_view::npos;
}

// Each `step`th of the bytes that need no escape gets one (RFC 3986 §2.3: that is the same URI). What is an
// escape, or half of one, stays.
std::string with_escapes(std::string_view path, size_t step) {
  std::string spelled;
  size_t bytes = 0;
  for (size_t at = 0; at < path.size(); at++) {
    if (path[at] == '%') {
      spelled += path.substr(at, 3);
      at += 2;
    } else if (is_unreserved(path[at]) && bytes++ % step == 0) {
      const auto value = static_cast<unsigned char>(path[at]);
      spelled += '%';
      spelled += "0123456789ABCDEF"[value >> 4];
      spelled += (step == 1 ? "0123456789ABCDEF" : "0123456789abcdef")[value & 15];
    } else {
      spelled += path[at];
    }
  }
  return spelled;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view target(reinterpret_cast<const char*>(data), size);
  for (const std::string_view method : {"GET", "POST"}) {
    std::string head;
    Seen seen;
    if (!see(method, target, head, seen)) continue;
    for (const char byte : seen.git.repository.view()) BW_ASSERT(byte > 0x20 && byte < 0x7f);
    BW_ASSERT(seen.git.operation != GitOperation::other || seen.git.repository.empty());
    const std::string_view path_query = seen.request.path_query;
    const std::string_view path = path_query.substr(0, path_query.find('?'));
    for (const size_t step : {1, 3}) {
      std::string other_head;
      Seen other;
      // It may have become too long.
      const std::string spelled = with_escapes(path, step) + std::string(path_query.substr(path.size()));
      if (!see(method, spelled, other_head, other)) continue;
      BW_ASSERT(name(other.git.operation) == name(seen.git.operation));
      BW_ASSERT(other.git.repository.view() == seen.git.repository.view());
      BW_ASSERT(is_replayable(other.request, other.git.operation) ==
                is_replayable(seen.request, seen.git.operation));
    }
    if (method == "POST" && path.ends_with("/git-receive-pack"))
      BW_ASSERT(!is_replayable(seen.request, seen.git.operation));
  }
  return 0;
}
