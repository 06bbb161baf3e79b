// OCSP answers of any bytes: what is stapled holds, byte for byte, what the authority has signed, and what is
// refused is refused with a sentence.
#include <string>
#include <string_view>

#include "base/assert.h"
#include "tls/staple.h"
#include "unit/tls/certificates.h"

using namespace breakwater::tls;
using testing::certificate_file;

namespace {

Pair make_pair() {
  return {.name = "staple",
          .chain = certificate_file("staple.crt") + certificate_file("ca.pem"),
          .key = Secret(certificate_file("staple.key")),
          .staple = {},
          .chain_file = "staple.crt",
          .key_file = "staple.key"};
}

// RFC 6960 §4.2.1: of BasicOCSPResponse the part that is signed, which comes first in it.
std::string_view signed_part(std::string_view answer) {
  const size_t object_identifier = answer.find("\x2b\x06\x01\x05\x05\x07\x30\x01\x01");
  BW_ASSERT(object_identifier != std::string_view::npos);
  std::string_view rest = answer.substr(object_identifier + 9);
  const auto head_bytes = [](std::string_view of) {
    const uint8_t length = static_cast<uint8_t>(of[1]);
    return size_t{2} + (length < 0x80 ? 0 : length & 0x7f);
  };
  rest.remove_prefix(head_bytes(rest));  // OCTET STRING
  rest.remove_prefix(head_bytes(rest));  // BasicOCSPResponse
  const size_t head = head_bytes(rest);
  size_t bytes = 0;
  if (head == 2)
    bytes = static_cast<uint8_t>(rest[1]);
  else
    for (size_t at = 2; at < head; at++) bytes = bytes << 8 | static_cast<uint8_t>(rest[at]);
  return rest.substr(0, head + bytes);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > 8192) return 0;
  static const Pair& pair = *new Pair(make_pair());
  static const std::string& good = *new std::string(certificate_file("good.ocsp"));
  static const std::string& part = *new std::string(signed_part(good));
  // An input that begins with a 0 is laid over the good answer, from the place that the two bytes behind it
  // say.
  std::string answer(reinterpret_cast<const char*>(data), size);
  if (size >= 3 && data[0] == 0) {
    const std::string over = answer.substr(3);
    const size_t from = (size_t{data[1]} << 8 | data[2]) % good.size();
    answer = good;
    answer.replace(from, over.size(), over);
  }
  LibraryContext library = LibraryContext::server();
  BW_ASSERT(library.get() != nullptr);
  Errors errors;
  staple(library, pair, answer, errors);
  BW_ASSERT(errors.size() <= 1);
  if (answer == good) BW_ASSERT(errors.empty());
  if (errors.empty()) BW_ASSERT(answer.find(part) != std::string::npos);
  for (const std::string& error : errors) BW_ASSERT(error.starts_with("staple.ocsp: ") && error.size() > 25);
  return 0;
}
