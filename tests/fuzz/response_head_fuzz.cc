// Response heads: never both framings, and no body where RFC 9112 §6.3 says there is none.
#include <string_view>

#include "base/assert.h"
#include "wire/http_head.h"

using namespace breakwater::wire;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const HeadLimits limits{4096, 4096};
  HeadScanner scanner(limits);
  if (scanner.scan(bytes) != HeadScanner::State::complete) return 0;
  const std::string_view head = bytes.substr(scanner.start(), scanner.end() - scanner.start());
  for (const Method method : {Method::get, Method::head}) {
    ResponseHead response;
    if (parse_response(head, limits, method, response) != Fault::none) continue;
    BW_ASSERT(response.status >= 100 && response.status <= 599);
    const bool bodiless =
        response.status < 200 || response.status == 204 || response.status == 304 || method == Method::head;
    if (bodiless) BW_ASSERT(response.body.kind == BodyKind::none);
    if (response.body.kind == BodyKind::until_close) BW_ASSERT(!response.keep_alive);
    const bool has_length = response.fields.find("content-length").data() != nullptr;
    const bool has_encoding = response.fields.find("transfer-encoding").data() != nullptr;
    BW_ASSERT(!(has_length && has_encoding));
  }
  return 0;
}
