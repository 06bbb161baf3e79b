// Request heads: what is accepted is unambiguous, lies within the input, and is accepted again byte by byte.
#include <string_view>

#include "base/assert.h"
#include "wire/http_head.h"

using namespace breakwater::wire;

namespace {

bool lies_within(std::string_view part, std::string_view whole) {
  return part.empty() ||
         (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const HeadLimits limits{4096, 1024};
  HeadScanner whole(limits);
  const HeadScanner::State state = whole.scan(bytes);
  HeadScanner pieces(limits);
  HeadScanner::State got = HeadScanner::State::incomplete;
  for (size_t end = 1; end <= size && got == HeadScanner::State::incomplete; end++)
    got = pieces.scan(bytes.substr(0, end));
  if (state == HeadScanner::State::complete) {
    BW_ASSERT(got == state && pieces.end() == whole.end() && pieces.start() == whole.start());
  }
  if (state != HeadScanner::State::complete) return 0;
  const std::string_view head = bytes.substr(whole.start(), whole.end() - whole.start());
  RequestHead request;
  if (parse_request(head, limits, request) != Fault::none) return 0;
  size_t lengths = 0;
  size_t encodings = 0;
  size_t hosts = 0;
  for (size_t index = 0; index < request.fields.size(); index++) {
    const Field field = request.fields[index];
    BW_ASSERT(lies_within(field.name, head) && lies_within(field.value, head));
    BW_ASSERT(field.value.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos);
    lengths += equals_ignoring_case(field.name, "content-length");
    encodings += equals_ignoring_case(field.name, "transfer-encoding");
    hosts += equals_ignoring_case(field.name, "host");
  }
  BW_ASSERT(lengths + encodings <= 1);
  BW_ASSERT(hosts == 1 || (hosts == 0 && request.minor_version == 0));
  BW_ASSERT((request.body.kind == BodyKind::chunked) == (encodings == 1));
  BW_ASSERT(lies_within(request.target, head) && lies_within(request.authority, head));
  return 0;
}
