// Judging Git's answers: any body in any framing, and what is told of a part agrees with what is told of
// more.
#include <string>
#include <string_view>

#include "base/assert.h"
#include "wire/git_answer.h"

using namespace breakwater::wire;

namespace {

constexpr std::string_view types[] = {"application/x-git-upload-pack-advertisement",
                                      "application/x-git-receive-pack-advertisement",
                                      "application/x-git-upload-pack-result", "text/html; charset=utf-8"};
constexpr GitOperation operations[] = {GitOperation::advertise_fetch, GitOperation::advertise_push,
                                       GitOperation::upload_pack, GitOperation::other};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view type = types[data[0] % 4];
  const GitOperation operation = operations[data[0] / 4 % 4];
  const bool chunked = data[0] / 16 % 2 != 0;
  const std::string_view body(reinterpret_cast<const char*>(data + 1), size - 1);
  const std::string framing =
      chunked ? "Transfer-Encoding: chunked" : "Content-Length: " + std::to_string(body.size());
  const std::string text =
      "HTTP/1.1 200 OK\r\nContent-Type: " + std::string(type) + "\r\n" + framing + "\r\n\r\n";
  ResponseHead head;
  BW_ASSERT(parse_response(text, {}, Method::get, head) == Fault::none);
  const GitAnswer whole = judge_git_answer(operation, head, body);
  if (!chunked) BW_ASSERT(whole != GitAnswer::undecided);
  for (size_t part = 0; part < body.size(); part++) {
    const GitAnswer early = judge_git_answer(operation, head, body.substr(0, part));
    // A chunk that is not there whole may hide the rest of what Git says.
    if (early != GitAnswer::undecided && !chunked) BW_ASSERT(early == whole);
  }
  return 0;
}
