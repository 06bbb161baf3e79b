// A client's hello: any bytes, in any pieces. What is told of a part agrees with what is told of the whole,
// and a name has only bytes that may be in one.
#include <algorithm>
#include <string_view>

#include "base/assert.h"
#include "wire/client_hello.h"

using namespace breakwater::wire;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  ClientHello hello;
  HelloFault fault = HelloFault::none;
  const HelloState state = read_client_hello(bytes, hello, fault);
  BW_ASSERT((state == HelloState::broken) == (fault != HelloFault::none));
  BW_ASSERT(!explain(fault).empty());
  if (state == HelloState::whole) {
    BW_ASSERT(size <= ClientHello::bytes_max);
    BW_ASSERT(std::ranges::all_of(hello.name(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
    }));
    BW_ASSERT(!hello.names_http11 || hello.names_protocols);
  }
  if (state == HelloState::partial) BW_ASSERT(size < ClientHello::bytes_max);
  for (size_t part = 0; part < size; part++) {
    ClientHello early;
    const HelloState before = read_client_hello(bytes.substr(0, part), early, fault);
    // Nothing is whole while a part of it is missing, and what is broken stays so.
    if (state == HelloState::whole || state == HelloState::partial) BW_ASSERT(before == HelloState::partial);
    if (before == HelloState::broken) BW_ASSERT(state == HelloState::broken);
  }
  return 0;
}
