// pkt-lines: what is read is written back to the same bytes (but for the case of the digits).
#include <array>
#include <string_view>

#include "base/assert.h"
#include "wire/pkt_line.h"

using namespace breakwater::wire;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  static std::array<char, pkt_line_bytes_max> out;
  while (!bytes.empty()) {
    const PktLine line = read_pkt_line(bytes);
    if (line.bytes == 0) break;
    BW_ASSERT(line.bytes <= bytes.size());
    if (line.kind == PktLine::Kind::data) {
      BW_ASSERT(write_pkt_line(line.payload, out) == line.bytes);
      BW_ASSERT(std::string_view(out.data() + 4, line.bytes - 4) == line.payload);
    }
    bytes.remove_prefix(line.bytes);
  }
  return 0;
}
