// Commands of pushes: any bytes. Of a list that is taken every name is one that a ref can have, and written
// again it is the same list; it ends with its flush-pkt, and what is behind that is the pack and changes
// nothing.
#include <algorithm>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "git/append_line.h"
#include "origin/push_ask.h"

using namespace breakwater::storm;
using namespace breakwater::storm::origin;

namespace {

// git-check-ref-format(1), rule by rule.
void check_name(std::string_view name) {
  const std::string framed = "/" + std::string(name) + "/";
  for (const std::string_view part : {"//", "/.", ".lock/", "..", "@{"})
    BW_ASSERT(framed.find(part) == std::string::npos);
  for (const char byte : name) BW_ASSERT(static_cast<unsigned char>(byte) > ' ' && byte != 0x7f);
  BW_ASSERT(name.find_first_of("~^:?*[\\") == std::string_view::npos);
  BW_ASSERT(!name.empty() && name != "@" && !name.ends_with('.'));
}

bool is_same(const PushAsk& one, const PushAsk& other) {
  const auto is_same_update = [](const RefUpdate& a, const RefUpdate& b) {
    return a.name == b.name && a.old_id == b.old_id && a.new_id == b.new_id;
  };
  return one.reports == other.reports && one.has_sideband == other.has_sideband && one.pack == other.pack &&
         std::ranges::equal(one.updates, other.updates, is_same_update);
}

std::string write(const PushAsk& push) {
  std::string body;
  for (const RefUpdate& update : push.updates) {
    std::string command = update.old_id.hex() + " " + update.new_id.hex() + " " + update.name;
    if (body.empty()) {
      command += '\0';
      if (push.reports) command += "report-status ";
      if (push.has_sideband) command += "side-band-64k ";
    }
    append_line(body, command);
  }
  return body + "0000" + std::string(push.pack);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > 32768) return 0;  // so that the longest name fits into a line with other capabilities, too
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  const std::optional<PushAsk> push = read_push_ask(body);
  if (!push) return 0;
  BW_ASSERT(push->updates.size() <= push_updates_max);
  for (const RefUpdate& update : push->updates) {
    BW_ASSERT(update.old_id.kind == HashKind::sha1 && update.new_id.kind == HashKind::sha1);
    check_name(update.name);
  }
  BW_ASSERT(body.ends_with(push->pack));
  const std::string_view commands = body.substr(0, size - push->pack.size());
  BW_ASSERT(commands.ends_with("0000"));
  for (size_t cut = 1; cut <= 4; cut++) BW_ASSERT(!read_push_ask(commands.substr(0, commands.size() - cut)));
  PushAsk without_pack = *push;
  without_pack.pack = {};
  const std::optional<PushAsk> alone = read_push_ask(commands);
  BW_ASSERT(alone && is_same(*alone, without_pack));
  // Without an update nothing has capabilities.
  if (push->updates.empty()) return 0;
  const std::string written = write(*push);
  const std::optional<PushAsk> again = read_push_ask(written);
  BW_ASSERT(again && is_same(*again, *push));
  return 0;
}
