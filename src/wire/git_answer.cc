#include "wire/git_answer.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <span>

#include "wire/pkt_line.h"

namespace breakwater::wire {

namespace {

constexpr size_t chunk_line_bytes_max = 24;
constexpr size_t words_bytes_max =
    512;  // what Git has to say fits; of an error's text the rest does not matter

// What the body begins with, without its framing, and what stands behind it.
struct Beginning {
  std::string_view payload;
  Behind behind = Behind::more;
};

// Joins the payload of the first chunks in `room`. What is malformed, or longer than it need be, ends it: the
// body's reader will judge.
Beginning beginning_of_chunks(std::string_view body, std::span<char, words_bytes_max> room,
                              Behind behind) noexcept {
  size_t filled = 0;
  const auto end_with = [&](Behind what) { return Beginning{{room.data(), filled}, what}; };
  for (;;) {
    const size_t line = body.substr(0, chunk_line_bytes_max).find("\r\n");
    const bool may_be_cut = body.size() < chunk_line_bytes_max;
    if (line == std::string_view::npos) return end_with(may_be_cut ? behind : Behind::unknown);
    size_t bytes = 0;
    const auto [end, status] = std::from_chars(body.data(), body.data() + line, bytes, 16);
    if (status != std::errc{}) return end_with(Behind::unknown);
    if (bytes == 0) return end_with(Behind::nothing);
    body.remove_prefix(line + 2);
    const size_t take = std::min({bytes, body.size(), room.size() - filled});
    std::memcpy(room.data() + filled, body.data(), take);
    filled += take;
    if (filled == room.size()) return end_with(Behind::unknown);
    if (bytes > body.size() || body.size() - bytes < 2) return end_with(behind);
    body.remove_prefix(bytes + 2);
  }
}

Beginning beginning_of(const BodyFraming& framing, std::string_view body,
                       std::span<char, words_bytes_max> room, Behind behind) noexcept {
  if (framing.kind == BodyKind::length)
    return {body.substr(0, framing.length), body.size() >= framing.length ? Behind::nothing : behind};
  if (framing.kind == BodyKind::chunked) return beginning_of_chunks(body, room, behind);
  return {body, framing.kind == BodyKind::none ? Behind::nothing : behind};
}

// `type`: a Content-Type, which may have parameters.
bool is_type(std::string_view type, std::string_view wanted) noexcept {
  if (!equals_ignoring_case(type.substr(0, wanted.size()), wanted)) return false;
  return type.size() == wanted.size() || type[wanted.size()] == ';' || type[wanted.size()] == ' ';
}

bool is_type_of(GitOperation operation, std::string_view type) noexcept {
  switch (operation) {
    case GitOperation::advertise_fetch:
      return is_type(type, "application/x-git-upload-pack-advertisement");
    case GitOperation::advertise_push:
      return is_type(type, "application/x-git-receive-pack-advertisement");
    case GitOperation::upload_pack:
      return is_type(type, "application/x-git-upload-pack-result");
    default:
      return false;
  }
}

GitAnswer judge_error(std::string_view text) noexcept {
  return text.find("not our ref") != std::string_view::npos ? GitAnswer::not_our_ref : GitAnswer::error;
}

// "# service=...", a flush-pkt, then the refs; or at once the refs, or "version 2" and its capabilities,
// which are few: all of them should be there. An empty repository may have no refs and no line for its
// capabilities, but its flush-pkt is there.
GitAnswer judge_advertisement(const Beginning& body) noexcept {
  constexpr std::string_view service = "# service=";
  std::string_view rest = body.payload;
  bool flushed = false;
  bool is_v2 = false;
  for (;;) {
    const PktLine line = read_pkt_line(rest);
    const bool is_cut = line.kind == PktLine::Kind::incomplete;
    if (line.kind == PktLine::Kind::malformed) return GitAnswer::not_git;
    if (line.kind == PktLine::Kind::flush && (flushed || is_v2)) return GitAnswer::fine;
    // A first ref with its capabilities may be long; how it begins says enough.
    const std::string_view text = is_cut && rest.size() > 4 ? rest.substr(4) : line.payload;
    const bool tells = line.kind == PktLine::Kind::data || text.size() >= service.size();
    if (tells && text.starts_with("ERR "))
      return is_cut && body.behind == Behind::more ? GitAnswer::undecided : judge_error(text);
    is_v2 = is_v2 || text.starts_with("version 2");
    if (tells && !is_v2 && !text.starts_with(service)) return GitAnswer::fine;
    if (is_cut && body.behind == Behind::nothing) return GitAnswer::empty;
    if (is_cut) return body.behind == Behind::more ? GitAnswer::undecided : GitAnswer::fine;
    flushed = line.kind == PktLine::Kind::flush;
    rest.remove_prefix(line.bytes);
  }
}

GitAnswer judge_pack(const Beginning& body) noexcept {
  constexpr size_t lead = 8;  // four digits and "ERR "
  if (body.payload.size() < lead) {
    if (body.behind == Behind::more) return GitAnswer::undecided;
    const bool is_cut = body.behind == Behind::nothing && body.payload != flush_pkt;
    return is_cut ? GitAnswer::empty : GitAnswer::fine;
  }
  if (body.payload.substr(4, 4) != "ERR ") return GitAnswer::fine;
  const PktLine line = read_pkt_line(body.payload);
  if (line.kind != PktLine::Kind::incomplete) return judge_error(line.payload);
  return body.behind == Behind::more ? GitAnswer::undecided : judge_error(body.payload);
}

}  // namespace

GitAnswer judge_git_answer(GitOperation operation, const ResponseHead& head, std::string_view body,
                           Behind behind) noexcept {
  const bool is_pack = operation == GitOperation::upload_pack;
  const bool may_fail =
      is_pack || operation == GitOperation::advertise_fetch || operation == GitOperation::advertise_push;
  if (!may_fail) return GitAnswer::fine;
  if (head.fields.find("content-encoding").data() != nullptr) return GitAnswer::fine;  // not readable
  const std::string_view type = head.fields.find("content-type");
  if (is_type(type, "text/html")) return GitAnswer::not_git;
  // A dumb server ignores `?service=` and sends its list of refs as plain text.
  if (!is_type_of(operation, type)) return GitAnswer::fine;
  std::array<char, words_bytes_max> room;
  const Beginning beginning = beginning_of(head.body, body, room, behind);
  return is_pack ? judge_pack(beginning) : judge_advertisement(beginning);
}

bool has_type_of(GitOperation operation, const ResponseHead& head) noexcept {
  return is_type_of(operation, head.fields.find("content-type"));
}

std::string_view describe(GitAnswer answer) noexcept {
  switch (answer) {
    case GitAnswer::fine:
    case GitAnswer::undecided:
      return "";
    case GitAnswer::not_git:
      return "the server sent something else than Git's answer";
    case GitAnswer::error:
      return "the server's Git answered with an error";
    case GitAnswer::not_our_ref:
      return "the server's Git does not have what is wanted";
    case GitAnswer::empty:
      return "the server's Git ended in its first words";
  }
  return "";
}

}  // namespace breakwater::wire
