// Bodies of POSTs to servers, on the admin listener: what is taken lies within its bounds and is taken when
// it is written again, but not with a key twice, with more behind it, without its end, or inside of a list;
// what is refused gets one sentence that a terminal may show.
#include <string>
#include <string_view>

#include "app/server_change.h"
#include "base/assert.h"
#include "base/utf8.h"
#include "config/schema.h"

using namespace breakwater;
using namespace breakwater::app;

namespace {

void check_sentence(std::string_view text) {
  BW_ASSERT(!text.empty() && text.size() < 300);
  while (!text.empty()) {
    const size_t bytes = utf8_character_bytes(text);
    BW_ASSERT(bytes > 0 && !utf8_is_control(text.substr(0, bytes)));
    text.remove_prefix(bytes);
  }
}

void check_refused(const std::string& body) {
  const auto change = read_server_change(body);
  BW_ASSERT(!change);
  check_sentence(change.error());
}

std::string write(const ServerChange& change) {
  std::string body = "{";
  if (change.word) body += "\"state\":\"" + std::string(name(*change.word)) + "\"";
  if (change.word && change.weight) body += ",";
  if (change.weight) body += "\"weight\":" + std::to_string(*change.weight);
  return body + "}";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string body(reinterpret_cast<const char*>(data), size);
  const auto change = read_server_change(body);
  if (!change) {
    check_sentence(change.error());
    return 0;
  }
  BW_ASSERT(change->word || change->weight);
  BW_ASSERT(change->weight.value_or(0) <= config::weight_max);
  const auto again = read_server_change(write(*change));
  BW_ASSERT(again && again->word == change->word && again->weight == change->weight);
  const std::string open = body.substr(0, body.rfind('}'));
  check_refused(open);
  check_refused(open + (change->word ? R"(,"state":"ready"})" : R"(,"weight":1})"));
  check_refused(open + R"(,"state":"ready","weight":1,"st\u0061te":"ready"})");
  for (const char* const more : {"x", "{}", ",", "}"}) check_refused(body + more);
  check_refused(body + std::string(1, '\0'));
  check_refused(std::string(1000, '[') + body + std::string(1000, ']'));
  check_refused(R"({"weight":)" + body + "}");
  return 0;
}
