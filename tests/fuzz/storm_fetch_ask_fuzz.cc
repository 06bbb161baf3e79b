// Requests for packs, of any protocol: any bytes, and an error says why nothing else of it counts.
#include <string_view>

#include "base/assert.h"
#include "origin/fetch_ask.h"

using namespace breakwater::storm::origin;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  const Command command = read_command(body);
  BW_ASSERT(command.arguments.size() <= body.size());
  const FetchAsk v2 = read_fetch_arguments(command.arguments);
  BW_ASSERT(!v2.error.empty() || !v2.request.wants.empty());
  const FetchAsk v0 = read_fetch_request(body);
  BW_ASSERT(!v0.error.empty() || v0.is_empty == v0.request.wants.empty());
  BW_ASSERT(v0.packet_bytes == 0 || v0.packet_bytes == side_band_bytes ||
            v0.packet_bytes == side_band_64k_bytes);
  return 0;
}
