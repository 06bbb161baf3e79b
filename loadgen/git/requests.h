// The bodies of a Git client's requests, as git 2.39 writes them (gitprotocol-pack, gitprotocol-v2): the same
// lines in the same order.
//
// git sends a body of more than gzip_bytes_min compressed (remote-curl.c); that is up to the caller, by
// gzipped().
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "git/object_id.h"

namespace breakwater::storm {

inline constexpr size_t gzip_bytes_min = 1024;
std::string gzipped(std::string_view body);

// v2's command ls-refs. Without prefixes all refs are told, as `git ls-remote` wants it.
struct RefsRequest {
  std::string_view agent;
  HashKind hash = HashKind::sha1;
  std::vector<std::string_view> prefixes;  // "refs/heads/"
  // What the server can: git asks for no more, and some servers (JGit) refuse what they don't know.
  bool server_tells_unborn = true;  // has_feature("ls-refs", "unborn")
  bool server_names_hash = true;    // has("object-format")
};
std::string write(const RefsRequest& request);

struct FetchRequest {
  uint8_t version = 2;
  std::string_view agent;
  HashKind hash = HashKind::sha1;
  std::vector<ObjectId> wants;  // at least one
  std::vector<ObjectId> haves;
  std::vector<ObjectId> shallow;  // the ends of the own history
  uint32_t depth = 0;
  bool blobless = false;
  bool has_thin_pack = true;  // a pack may have deltas of what the client has
  bool has_include_tag = false;
  bool has_progress = false;
  // What the server can: a client of v0 asks for no more, and one of v2 names no kind of hash.
  bool server_filters = false, server_deepens = true, server_names_hash = true;
  bool is_done = true;
};
std::string write(const FetchRequest& request);

// The commands of a push; the pack follows right behind (git/pack_writer.h).
struct PushRequest {
  std::string_view agent;
  HashKind hash = HashKind::sha1;
  ObjectId from, to;  // zero: the ref is made
  std::string_view ref;
  bool is_quiet = true;
  // What the server can (send-pack.c): without the first it is asked for the older report.
  bool server_reports_v2 = true;  // has("report-status-v2")
  bool server_quiets = true;      // has("quiet")
  bool server_names_hash = true;  // has("object-format")
};
std::string write(const PushRequest& request);

// What git sends first if its push is too large for one buffer (`http.postBuffer`): nothing, to be asked for
// its name before the pack is on its way.
inline constexpr std::string_view push_probe = "0000";

}  // namespace breakwater::storm
