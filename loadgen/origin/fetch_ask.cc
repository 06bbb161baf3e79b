#include "origin/fetch_ask.h"

#include <optional>

#include "base/parse_number.h"
#include "wire/pkt_line.h"

namespace breakwater::storm::origin {

namespace {

using wire::PktLine;

// The next pkt-line, off the front; incomplete or malformed at the end of what can be read.
PktLine take_line(std::string_view& body) noexcept {
  PktLine line = wire::read_pkt_line(body);
  body.remove_prefix(line.bytes);
  if (line.payload.ends_with('\n')) line.payload.remove_suffix(1);
  return line;
}

bool take_prefix(std::string_view& text, std::string_view prefix) noexcept {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

bool read_filter(std::string_view text, FetchFilter& filter) noexcept {
  if (text == "blob:none") {
    filter.blob_bytes_below = 0;
    return true;
  }
  if (take_prefix(text, "blob:limit=")) return parse_number(text, filter.blob_bytes_below);
  if (take_prefix(text, "tree:")) return parse_number(text, filter.depth_below);
  return false;
}

bool add_id(std::string_view text, std::vector<ObjectId>& ids) {
  const std::optional<ObjectId> id = ObjectId::parse(text.substr(0, text.find(' ')));
  if (id && id->kind == HashKind::sha1) ids.push_back(*id);
  return id && id->kind == HashKind::sha1;
}

// What v0 and v2 say with the same words. False: it is none of them. `error` if it is one, and wrong.
bool read_common(std::string_view text, FetchAsk& ask) {
  ServedFetch& request = ask.request;
  bool is_right = true;
  if (take_prefix(text, "want "))
    is_right = add_id(text, request.wants);
  else if (take_prefix(text, "have "))
    is_right = add_id(text, request.haves);
  else if (take_prefix(text, "shallow "))
    is_right = add_id(text, request.shallow);
  else if (take_prefix(text, "deepen "))
    is_right = parse_number(text, request.depth);
  else if (take_prefix(text, "filter "))
    is_right = read_filter(text, request.filter);
  else if (text == "done")
    ask.is_done = true;
  else if (text.starts_with("deepen-since ") || text.starts_with("deepen-not "))
    is_right = false;  // of histories that are made up nobody asks that
  else
    return false;
  if (!is_right) ask.error = "not understood: " + std::string(text.substr(0, 100));
  if (request.wants.size() + request.haves.size() + request.shallow.size() > FetchAsk::ids_max)
    ask.error = "too many objects are named";
  return true;
}

void read_capabilities(std::string_view text, FetchAsk& ask) noexcept {
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(text.size(), word.size() + 1));
    if (word == "multi_ack" && ask.acknowledge == Acknowledge::one) ask.acknowledge = Acknowledge::many;
    if (word == "multi_ack_detailed") ask.acknowledge = Acknowledge::detailed;
    if (word == "no-done") ask.no_done = true;
    if (word == "no-progress") ask.wants_progress = false;
    if (word == "include-tag") ask.request.include_tags = true;
    if (word == "deepen-relative") ask.request.depth_is_relative = true;
    if (word == "side-band" && ask.packet_bytes == 0) ask.packet_bytes = side_band_bytes;
    if (word == "side-band-64k") ask.packet_bytes = side_band_64k_bytes;
  }
}

}  // namespace

Command read_command(std::string_view body) noexcept {
  Command command;
  for (PktLine line = take_line(body); line.bytes > 0; line = take_line(body)) {
    if (line.kind == PktLine::Kind::delimiter) {
      command.arguments = body;
      break;
    }
    if (line.kind != PktLine::Kind::data) break;
    std::string_view text = line.payload;
    if (take_prefix(text, "command=")) command.name = text;
  }
  return command;
}

FetchAsk read_fetch_arguments(std::string_view arguments) {
  FetchAsk ask;
  ask.packet_bytes = side_band_64k_bytes;
  PktLine line = take_line(arguments);
  for (; line.kind == PktLine::Kind::data && ask.error.empty(); line = take_line(arguments)) {
    const std::string_view text = line.payload;
    if (read_common(text, ask)) continue;
    if (text == "no-progress") ask.wants_progress = false;
    if (text == "include-tag") ask.request.include_tags = true;
    if (text == "deepen-relative") ask.request.depth_is_relative = true;
    if (text == "wait-for-done") ask.waits_for_done = true;
  }
  if (ask.error.empty() && line.kind != PktLine::Kind::flush) ask.error = "the request has no end";
  if (ask.error.empty() && ask.request.wants.empty()) ask.error = "nothing is wanted";
  return ask;
}

// Wants, and what goes with them, up to a flush-pkt; then haves, with flush-pkts among them, up to `done` or
// the end.
FetchAsk read_fetch_request(std::string_view body) {
  FetchAsk ask;
  ask.wants_progress = true;
  bool is_first = true, is_whole = false;
  for (PktLine line = take_line(body); line.bytes > 0 && ask.error.empty(); line = take_line(body)) {
    if (line.kind != PktLine::Kind::data) {
      is_whole = line.kind == PktLine::Kind::flush;
      if (!is_whole) break;
      continue;
    }
    std::string_view text = line.payload;
    if (is_first && text.starts_with("want ")) {
      constexpr size_t bytes_of_want = 45;  // "want ", and 40 digits
      if (text.size() > bytes_of_want) read_capabilities(text.substr(bytes_of_want), ask);
      text = text.substr(0, bytes_of_want);
      is_first = false;
    }
    if (!read_common(text, ask)) ask.error = "not understood: " + std::string(text.substr(0, 100));
    is_whole = ask.is_done;
    if (ask.is_done) break;
  }
  if (ask.error.empty() && !is_whole) ask.error = "the request has no end";
  ask.is_empty = ask.error.empty() && ask.request.wants.empty();
  return ask;
}

}  // namespace breakwater::storm::origin
