// The advertisement of a smart service, and ls-refs (gitprotocol-http(5), "Smart Clients";
// gitprotocol-pack(5), "Reference Discovery"; gitprotocol-v2(5)).
#include <string>
#include <vector>

#include "origin/answer.h"
#include "origin/fetch_ask.h"
#include "wire/pkt_line.h"

namespace breakwater::storm::origin {

namespace {

constexpr std::string_view fetch_capabilities =
    "multi_ack thin-pack side-band side-band-64k ofs-delta shallow deepen-relative no-progress include-tag "
    "multi_ack_detailed allow-tip-sha1-in-want allow-reachable-sha1-in-want no-done "
    "symref=HEAD:refs/heads/main filter object-format=sha1 ";
constexpr std::string_view push_capabilities =
    "report-status delete-refs side-band-64k quiet ofs-delta object-format=sha1 ";

// Protocol v0 and v1: every ref, and behind the first the capabilities.
std::string all_refs(const SyntheticRefs& refs, bool is_push, uint8_t protocol) {
  std::string text = is_push ? "001f# service=git-receive-pack\n0000" : "001e# service=git-upload-pack\n0000";
  if (protocol == 1) append_line(text, "version 1\n");
  std::string capabilities(1, '\0');
  capabilities += is_push ? push_capabilities : fetch_capabilities;
  capabilities += agent;
  const auto add = [&](const ObjectId& id, std::string_view name) {
    append_line(text, id.hex() + " " + std::string(name) + capabilities + "\n");
    capabilities.clear();
  };
  const std::optional<ObjectId> head = refs.find(synthetic_head);
  if (head && !is_push) add(*head, "HEAD");
  refs.for_each([&](const ServedRef& ref) {
    add(ref.id, ref.name);
    if (!is_push && !ref.peeled.is_zero()) add(ref.peeled, ref.name + "^{}");
  });
  return text + std::string(wire::flush_pkt);
}

std::string capabilities_of_v2() {
  std::string text = "001e# service=git-upload-pack\n0000";
  for (const std::string_view line :
       {std::string_view("version 2\n"), std::string_view("agent=storm/1\n"),
        std::string_view("ls-refs=unborn\n"), std::string_view("fetch=shallow wait-for-done filter\n"),
        std::string_view("object-format=sha1\n")})
    append_line(text, line);
  return text + std::string(wire::flush_pkt);
}

struct LsRefs {
  bool peel = false, symrefs = false;
  std::vector<std::string_view> prefixes;

  bool wants(std::string_view name) const {
    if (prefixes.empty()) return true;
    for (const std::string_view prefix : prefixes)
      if (name.starts_with(prefix)) return true;
    return false;
  }
};

// The lines behind the delimiter.
LsRefs read_ls_refs(std::string_view body) {
  LsRefs ask;
  for (wire::PktLine line = wire::read_pkt_line(body); line.bytes > 0; line = wire::read_pkt_line(body)) {
    body.remove_prefix(line.bytes);
    std::string_view text = line.payload;
    if (text.ends_with('\n')) text.remove_suffix(1);
    constexpr std::string_view prefix = "ref-prefix ";
    if (text == "peel") ask.peel = true;
    if (text == "symrefs") ask.symrefs = true;
    if (text.starts_with(prefix)) ask.prefixes.push_back(text.substr(prefix.size()));
  }
  return ask;
}

std::string listed_refs(const SyntheticRefs& refs, const LsRefs& ask) {
  std::string text;
  const std::optional<ObjectId> head = refs.find(synthetic_head);
  if (head && ask.wants("HEAD")) {
    std::string line = head->hex() + " HEAD";
    if (ask.symrefs) line += " symref-target:" + std::string(synthetic_head);
    append_line(text, line + "\n");
  }
  refs.for_each([&](const ServedRef& ref) {
    if (!ask.wants(ref.name)) return;
    std::string line = ref.id.hex() + " " + ref.name;
    if (ask.peel && !ref.peeled.is_zero()) line += " peeled:" + ref.peeled.hex();
    append_line(text, line + "\n");
  });
  return text + std::string(wire::flush_pkt);
}

// The same for every client until a ref changes; `what` tells the texts of one repository apart.
template <typename Make>
std::shared_ptr<const std::string> cached(const Ask& ask, const Reply& reply, std::string_view what,
                                          Make make) {
  const bool stale = reply.fault && reply.fault->kind == FaultKind::stale;
  // The refs may be newer than the version that is asked for before them, never older: so a text that is
  // out of date is not kept under a version that is not.
  const std::string key = ask.repository.name() + (stale ? " stale " : " ") +
                          std::to_string(ask.repository.version()) + " " + std::string(what);
  if (stale) ask.site.faults.given(*reply.fault);
  const std::shared_ptr<const SyntheticRefs> refs = ask.repository.refs(stale);
  return ask.site.texts.get(key, [&] { return make(*refs); });
}

}  // namespace

Reply answer_advertisement(const Ask& ask, std::string_view service) {
  const bool is_push = service == "git-receive-pack";
  if (!is_push && service != "git-upload-pack") return text_reply(403, "this service is not offered\n");
  ask.site.counts.advertisements++;
  Reply reply = git_reply("application/x-" + std::string(service) + "-advertisement", {});
  if (fail(ask, Place::refs, reply)) {
    // Behind the line that tells the service, as Git's client wants it.
    if (reply.status == 200)
      reply.front.insert(
          0, is_push ? "001f# service=git-receive-pack\n0000" : "001e# service=git-upload-pack\n0000");
    return reply;
  }
  if (ask.protocol == 2 && !is_push) {
    if (reply.fault && reply.fault->kind == FaultKind::stale) {  // there are no refs in it
      ask.site.faults.not_given(*reply.fault);
      reply.fault.reset();
    }
    reply.front = capabilities_of_v2();
    return reply;
  }
  const std::string what = std::string(service) + " " + std::to_string(ask.protocol);
  reply.shared = cached(ask, reply, what,
                        [&](const SyntheticRefs& refs) { return all_refs(refs, is_push, ask.protocol); });
  return reply;
}

Reply answer_ls_refs(const Ask& ask) {
  ask.site.counts.ls_refs++;
  Reply reply = git_reply("application/x-git-upload-pack-result", {});
  if (fail(ask, Place::refs, reply)) return reply;
  const std::string_view body = read_command(ask.request.body).arguments;
  reply.shared = cached(ask, reply, body,
                        [&](const SyntheticRefs& refs) { return listed_refs(refs, read_ls_refs(body)); });
  return reply;
}

}  // namespace breakwater::storm::origin
