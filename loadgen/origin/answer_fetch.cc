// What is posted to git-upload-pack is answered: refs, negotiation, packs (gitprotocol-v2(5), "fetch";
// gitprotocol-pack(5), "Packfile Negotiation" and "Packfile Data").
#include <chrono>
#include <string>

#include "origin/answer.h"
#include "origin/fetch_ask.h"
#include "wire/pkt_line.h"

namespace breakwater::storm::origin {

namespace {

constexpr std::string_view fetch_result_type = "application/x-git-upload-pack-result";
constexpr char band_of_progress = 2, band_of_error = 3;

void append_band(std::string& text, char band, std::string_view words) {
  append_line(text, band + std::string(words));
}

void append_shallow(std::string& text, const FetchPlan& plan) {
  for (const ObjectId& id : plan.shallow) append_line(text, "shallow " + id.hex() + "\n");
  for (const ObjectId& id : plan.unshallow) append_line(text, "unshallow " + id.hex() + "\n");
}

// Behind what was said before it: the pack, and what may go wrong with it.
void add_pack(const Ask& ask, const FetchAsk& fetch, std::shared_ptr<const FetchPlan> plan, Reply& reply) {
  Counts& counts = ask.site.counts;
  std::string said = std::move(reply.front);
  reply.front.clear();
  if (fail(ask, Place::pack, reply)) return;
  counts.packs++;
  counts.pack_bytes += plan->pack.bytes;
  reply.front = std::move(said);
  reply.packet_bytes = fetch.packet_bytes;
  if (fetch.packet_bytes > 0) {
    if (fetch.wants_progress)
      append_band(reply.front, band_of_progress,
                  "Enumerating objects: " + std::to_string(plan->pack.objects) + ", done.\n");
    reply.back = wire::flush_pkt;
  }
  reply.delay_ns = std::chrono::nanoseconds(ask.site.options.compute).count();
  if (reply.fault && reply.fault->kind == FaultKind::sideband && fetch.packet_bytes > 0) {
    const uint64_t after = reply.fault->after.value_or(reply.fault->dice % plan->pack.bytes);
    reply.pack_bytes_max = std::min(after, plan->pack.bytes - 1);
    reply.back.clear();
    append_band(reply.back, band_of_error, "a fault on cue\n");
  }
  reply.plan = std::move(plan);
}

Reply refuse_missing(const FetchPlan& plan) {
  return git_error(fetch_result_type, "upload-pack: not our ref " + plan.missing.hex());
}

Reply answer_fetch_v2(const Ask& ask, const FetchAsk& fetch) {
  std::shared_ptr<const FetchPlan> plan = ask.repository.plan(fetch.request, fetch.is_done);
  if (!plan->missing.is_zero()) return refuse_missing(*plan);
  Reply reply = git_reply(fetch_result_type, {});
  bool pack_follows = fetch.is_done;
  if (!fetch.is_done) {
    append_line(reply.front, "acknowledgments\n");
    for (const ObjectId& id : plan->common) append_line(reply.front, "ACK " + id.hex() + "\n");
    if (plan->common.empty()) append_line(reply.front, "NAK\n");
    pack_follows = plan->is_ready && !fetch.waits_for_done;
    if (pack_follows) append_line(reply.front, "ready\n");
    reply.front += pack_follows ? "0001" : "0000";
  }
  if (!pack_follows) {
    ask.site.counts.negotiations++;
    return reply;
  }
  if (!plan->shallow.empty() || !plan->unshallow.empty()) {
    append_line(reply.front, "shallow-info\n");
    append_shallow(reply.front, *plan);
    reply.front += "0001";
  }
  append_line(reply.front, "packfile\n");
  add_pack(ask, fetch, std::move(plan), reply);
  return reply;
}

// What is said of the haves of one request; true: the pack may follow.
bool acknowledge(const FetchAsk& fetch, const FetchPlan& plan, std::string& text) {
  const bool tells_each = fetch.acknowledge != Acknowledge::one;
  const std::string last = plan.common.empty() ? std::string() : plan.common.back().hex();
  const char* const word = fetch.acknowledge == Acknowledge::detailed ? " common\n" : " continue\n";
  if (tells_each)
    for (const ObjectId& id : plan.common) append_line(text, "ACK " + id.hex() + word);
  else if (!plan.common.empty())
    append_line(text, "ACK " + plan.common.front().hex() + "\n");
  if (fetch.is_done) {
    if (plan.common.empty()) append_line(text, "NAK\n");
    if (tells_each && !plan.common.empty()) append_line(text, "ACK " + last + "\n");
    return true;
  }
  const bool is_ready = plan.is_ready && fetch.acknowledge == Acknowledge::detailed;
  if (is_ready) append_line(text, "ACK " + last + " ready\n");
  if (plan.common.empty() || tells_each) append_line(text, "NAK\n");
  if (is_ready && fetch.no_done) append_line(text, "ACK " + last + "\n");
  return is_ready && fetch.no_done;
}

Reply answer_fetch_v0(const Ask& ask) {
  const FetchAsk fetch = read_fetch_request(ask.request.body);
  if (!fetch.error.empty()) return git_error(fetch_result_type, fetch.error);
  if (fetch.is_empty) return git_reply(fetch_result_type, {});
  std::shared_ptr<const FetchPlan> plan = ask.repository.plan(fetch.request, fetch.is_done);
  if (!plan->missing.is_zero()) return refuse_missing(*plan);
  Reply reply = git_reply(fetch_result_type, {});
  if (fetch.request.depth > 0) {
    append_shallow(reply.front, *plan);
    reply.front += wire::flush_pkt;
  }
  // A request that only asks for the shallow commits has neither haves nor `done`.
  if (fetch.is_done || !fetch.request.haves.empty()) {
    if (acknowledge(fetch, *plan, reply.front)) {
      add_pack(ask, fetch, std::move(plan), reply);
      return reply;
    }
  }
  ask.site.counts.negotiations++;
  return reply;
}

}  // namespace

Reply answer_upload_pack(const Ask& ask) {
  if (ask.request.head.fields.find("Content-Type") != "application/x-git-upload-pack-request")
    return text_reply(415, "the Content-Type must be application/x-git-upload-pack-request\n");
  if (ask.protocol != 2) return answer_fetch_v0(ask);
  const Command command = read_command(ask.request.body);
  if (command.name == "ls-refs") return answer_ls_refs(ask);
  if (command.name != "fetch") return git_error(fetch_result_type, "this command is not known");
  const FetchAsk fetch = read_fetch_arguments(command.arguments);
  if (!fetch.error.empty()) return git_error(fetch_result_type, fetch.error);
  return answer_fetch_v2(ask, fetch);
}

}  // namespace breakwater::storm::origin
