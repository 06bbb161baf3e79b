// A push: its commands are read (push_ask.h), its pack is checked and taken over, its refs move
// (gitprotocol-pack(5), "Pushing Data To a Server").
#include <optional>
#include <string>
#include <vector>

#include "origin/answer.h"
#include "origin/push_ask.h"
#include "origin/received_pack.h"
#include "wire/pkt_line.h"

namespace breakwater::storm::origin {

namespace {

constexpr std::string_view push_result_type = "application/x-git-receive-pack-result";

std::string report(const PushAsk& push, std::string_view unpack, const std::vector<std::string>& reasons) {
  std::string lines;
  if (!push.reports) return lines;
  append_line(lines, "unpack " + std::string(unpack.empty() ? "ok" : unpack) + "\n");
  for (size_t index = 0; index < push.updates.size(); index++) {
    const std::string& name = push.updates[index].name;
    append_line(lines,
                reasons[index].empty() ? "ok " + name + "\n" : "ng " + name + " " + reasons[index] + "\n");
  }
  lines += wire::flush_pkt;
  if (!push.has_sideband) return lines;
  std::string packets;
  constexpr size_t bytes_max = wire::pkt_line_bytes_max - 5;
  for (size_t at = 0; at < lines.size(); at += bytes_max)
    append_line(packets, "\1" + lines.substr(at, bytes_max));
  return packets + std::string(wire::flush_pkt);
}

}  // namespace

Reply answer_receive_pack(const Ask& ask) {
  if (ask.request.head.fields.find("Content-Type") != "application/x-git-receive-pack-request")
    return text_reply(415, "the Content-Type must be application/x-git-receive-pack-request\n");
  Reply reply = git_reply(push_result_type, {});
  // A flush-pkt alone is how Git tries whether it may push before it sends what can't be sent twice.
  if (ask.request.body == wire::flush_pkt || ask.request.body.empty()) return reply;
  if (fail(ask, Place::push, reply)) return reply;
  const std::optional<PushAsk> push = read_push_ask(ask.request.body);
  if (!push) return git_error(push_result_type, "the commands are not understood");

  std::string unpack;
  std::vector<Object> objects;
  if (!push->pack.empty()) {
    const BaseObject base = [&ask](const ObjectId& id) { return ask.repository.object(id); };
    std::expected<std::vector<Object>, std::string> read = read_received_pack(push->pack, base);
    if (read)
      objects = std::move(*read);
    else
      unpack = read.error();
  }
  std::vector<std::string> reasons(push->updates.size(), "unpacker error");
  if (unpack.empty()) reasons = ask.repository.push(objects, push->updates, unpack);
  bool is_taken = true;
  for (const std::string& reason : reasons) is_taken = is_taken && reason.empty();
  (is_taken ? ask.site.counts.pushes : ask.site.counts.pushes_refused)++;
  reply.front = report(*push, unpack, reasons);
  return reply;
}

}  // namespace breakwater::storm::origin
