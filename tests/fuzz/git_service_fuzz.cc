// Classification: a push is never taken for a read, and a repository name is printable.
#include <string>
#include <string_view>

#include "base/assert.h"
#include "wire/git_service.h"

using namespace breakwater::wire;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view target(reinterpret_cast<const char*>(data), size);
  for (const std::string_view method : {"GET", "POST"}) {
    std::string head(method);
    head.append(" ").append(target);
    head += " HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-git-upload-pack-request\r\n\r\n";
    RequestHead request;
    if (parse_request(head, {}, request) != Fault::none) continue;
    GitRequest git;
    classify(request, git);
    for (const char byte : git.repository.view()) BW_ASSERT(byte > 0x20 && byte < 0x7f);
    const bool push_path =
        request.path_query.substr(0, request.path_query.find('?')).ends_with("/git-receive-pack");
    if (method == "POST" && push_path) BW_ASSERT(!is_replayable(request, git.operation));
  }
  return 0;
}
