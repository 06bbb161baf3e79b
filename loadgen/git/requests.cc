#include "git/requests.h"

#include <zlib.h>

#include <array>

#include "base/assert.h"
#include "git/append_line.h"
#include "wire/pkt_line.h"

namespace breakwater::storm {

namespace {

constexpr std::string_view delimiter = "0001";

class Lines {
 public:
  void add(std::string_view text) {
    BW_ASSERT(text.size() + 4 <= wire::pkt_line_bytes_max);
    append_line(all, text);
  }
  void add(std::string_view name, std::string_view value, std::string_view end = "") {
    std::string line(name);
    line += value;
    line += end;
    add(line);
  }
  std::string all;
};

// `command` is with a line feed if git sends it so: it does for ls-refs, and for nothing else up here.
template <typename Request>
void add_command(Lines& lines, std::string_view command, const Request& request) {
  lines.add("command=", command);
  lines.add("agent=", request.agent);
  if (request.server_names_hash)
    lines.add("object-format=", request.hash == HashKind::sha1 ? "sha1" : "sha256");
  lines.all += delimiter;
}

std::string write_v2(const FetchRequest& request) {
  Lines lines;
  add_command(lines, "fetch", request);
  if (request.has_thin_pack) lines.add("thin-pack");
  if (!request.has_progress) lines.add("no-progress");
  if (request.has_include_tag) lines.add("include-tag");
  lines.add("ofs-delta");
  for (const ObjectId& id : request.shallow) lines.add("shallow ", id.hex());
  if (request.depth > 0) lines.add("deepen ", std::to_string(request.depth));
  if (request.blobless) lines.add("filter blob:none");
  for (const ObjectId& id : request.wants) lines.add("want ", id.hex(), "\n");
  for (const ObjectId& id : request.haves) lines.add("have ", id.hex(), "\n");
  if (request.is_done) lines.add("done\n");
  lines.all += wire::flush_pkt;
  return std::move(lines.all);
}

std::string capabilities_of(const FetchRequest& request) {
  std::string all = " multi_ack_detailed no-done side-band-64k";
  if (request.has_thin_pack) all += " thin-pack";
  if (!request.has_progress) all += " no-progress";
  if (request.has_include_tag) all += " include-tag";
  all += " ofs-delta";
  if (request.server_deepens) all += " deepen-since deepen-not";
  all += " agent=";  // and no object-format, not even for SHA-256
  all += request.agent;
  if (request.server_filters && request.blobless) all += " filter";
  return all;
}

// v0 and v1: the first want has what we can behind it.
std::string write_v0(const FetchRequest& request) {
  Lines lines;
  std::string rest = capabilities_of(request);
  for (const ObjectId& id : request.wants) {
    lines.add("want ", id.hex() + rest, "\n");
    rest.clear();
  }
  for (const ObjectId& id : request.shallow) lines.add("shallow ", id.hex());
  if (request.depth > 0) lines.add("deepen ", std::to_string(request.depth));
  if (request.server_filters && request.blobless) lines.add("filter blob:none");
  lines.all += wire::flush_pkt;
  for (const ObjectId& id : request.haves) lines.add("have ", id.hex(), "\n");
  if (request.is_done)
    lines.add("done\n");
  else
    lines.all += wire::flush_pkt;
  return std::move(lines.all);
}

}  // namespace

std::string write(const RefsRequest& request) {
  Lines lines;
  add_command(lines, "ls-refs\n", request);
  lines.add("peel\n");
  lines.add("symrefs\n");
  if (request.server_tells_unborn) lines.add("unborn\n");
  for (const std::string_view prefix : request.prefixes) lines.add("ref-prefix ", prefix, "\n");
  lines.all += wire::flush_pkt;
  return std::move(lines.all);
}

std::string write(const FetchRequest& request) {
  BW_ASSERT(!request.wants.empty());
  return request.version == 2 ? write_v2(request) : write_v0(request);
}

std::string write(const PushRequest& request) {
  std::string line = request.from.hex();
  line += ' ';
  line += request.to.hex();
  line += ' ';
  line += request.ref;
  line += '\0';
  line += request.server_reports_v2 ? " report-status-v2" : " report-status";
  line += " side-band-64k";
  if (request.is_quiet && request.server_quiets) line += " quiet";
  if (request.server_names_hash)
    line += request.hash == HashKind::sha1 ? " object-format=sha1" : " object-format=sha256";
  line += " agent=";
  line += request.agent;
  Lines lines;
  lines.add(line);
  lines.all += wire::flush_pkt;
  return std::move(lines.all);
}

std::string gzipped(std::string_view body) {
  constexpr int with_head_of_gzip = 16;
  z_stream stream{};
  BW_ASSERT(deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, MAX_WBITS + with_head_of_gzip,
                         MAX_MEM_LEVEL - 1, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string all(deflateBound(&stream, body.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(body.data()));
  stream.avail_in = static_cast<uInt>(body.size());
  stream.next_out = reinterpret_cast<Bytef*>(all.data());
  stream.avail_out = static_cast<uInt>(all.size());
  BW_ASSERT(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  all.resize(stream.total_out);
  deflateEnd(&stream);
  return all;
}

}  // namespace breakwater::storm
