#include "origin/push_ask.h"

#include <algorithm>
#include <string>

#include "wire/pkt_line.h"

namespace breakwater::storm::origin {

namespace {

bool is_forbidden_in_ref(char byte) noexcept {
  const auto value = static_cast<unsigned char>(byte);
  return value <= ' ' || value == 0x7f || std::string_view("~^:?*[\\").find(byte) != std::string_view::npos;
}

// git-check-ref-format(1), without the rule that there is a slash: what is not below refs/ the repository
// refuses, and says so.
bool is_ref_name(std::string_view name) noexcept {
  if (name == "@" || name.ends_with('.') || name.find("..") != std::string_view::npos ||
      name.find("@{") != std::string_view::npos || std::ranges::any_of(name, is_forbidden_in_ref))
    return false;
  for (;;) {
    const size_t slash = name.find('/');
    const std::string_view part = name.substr(0, slash);
    if (part.empty() || part.starts_with('.') || part.ends_with(".lock")) return false;
    if (slash == std::string_view::npos) return true;
    name.remove_prefix(slash + 1);
  }
}

constexpr size_t id_digits = 2 * bytes_of(HashKind::sha1);

// "OLD NEW NAME", both ids in hex.
bool read_update(std::string_view text, RefUpdate& update) {
  if (text.size() < 2 * id_digits + 3 || text[id_digits] != ' ' || text[2 * id_digits + 1] != ' ')
    return false;
  const std::optional<ObjectId> old_id = ObjectId::parse(text.substr(0, id_digits));
  const std::optional<ObjectId> new_id = ObjectId::parse(text.substr(id_digits + 1, id_digits));
  const std::string_view name = text.substr(2 * id_digits + 2);
  if (!old_id || !new_id || !is_ref_name(name)) return false;
  update = {std::string(name), *old_id, *new_id};
  return true;
}

void read_capabilities(std::string_view text, PushAsk& push) noexcept {
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(text.size(), word.size() + 1));
    if (word == "report-status") push.reports = true;
    if (word == "side-band-64k") push.has_sideband = true;
  }
}

// "shallow ID", or an update.
bool add_command(std::string_view text, PushAsk& push) {
  constexpr std::string_view shallow = "shallow ";
  if (text.starts_with(shallow))
    return text.size() == shallow.size() + id_digits && ObjectId::parse(text.substr(shallow.size()));
  RefUpdate update;
  if (push.updates.size() == push_updates_max || !read_update(text, update)) return false;
  push.updates.push_back(std::move(update));
  return true;
}

}  // namespace

std::optional<PushAsk> read_push_ask(std::string_view body) {
  PushAsk push;
  for (wire::PktLine line = wire::read_pkt_line(body); line.bytes > 0; line = wire::read_pkt_line(body)) {
    body.remove_prefix(line.bytes);
    if (line.kind == wire::PktLine::Kind::flush) {
      push.pack = body;
      return push;
    }
    std::string_view text = line.payload;
    if (text.ends_with('\n')) text.remove_suffix(1);
    if (const size_t zero = text.find('\0'); zero != std::string_view::npos) {
      read_capabilities(text.substr(zero + 1), push);
      text = text.substr(0, zero);
    }
    if (!add_command(text, push)) return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace breakwater::storm::origin
