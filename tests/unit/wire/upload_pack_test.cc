// The end of upload-pack's answers, and what its requests ask for.
#include "wire/upload_pack.h"

#include <doctest/doctest.h>

#include <string>

using namespace breakwater::wire;
using namespace std::string_literals;

namespace {

std::string line(std::string_view payload) {
  char digits[5];
  std::snprintf(digits, sizeof digits, "%04zx", payload.size() + 4);
  return digits + std::string(payload);
}

bool proven(UploadPackAnswer answer, std::string_view bytes) {
  UploadPackEnd end;
  end.start(answer);
  end.look(bytes);
  return end.proven();
}

const std::string oid(40, 'a');
const std::string pack = line("\1PACK and so on") + line("\2progress") + line("\1the hash");

}  // namespace

TEST_CASE("a v2 answer ends in its flush-pkt, and nowhere before it") {
  const std::string fetch = line("packfile\n") + pack + "0000";
  const std::string shallow = line("shallow-info\n") + line("shallow " + oid + "\n") + "0001" + fetch;
  const std::string negotiation = line("acknowledgments\n") + line("NAK\n") + "0000";
  const std::string refs = line(oid + " HEAD\n") + "0000";
  for (const std::string& answer : {fetch, shallow, negotiation, refs}) {
    CHECK(proven(UploadPackAnswer::v2, answer));
    for (size_t bytes = 0; bytes < answer.size(); bytes++)
      CHECK_FALSE(proven(UploadPackAnswer::v2, std::string_view(answer).substr(0, bytes)));
    CHECK_FALSE(proven(UploadPackAnswer::v2, answer + "0"));
  }
}

TEST_CASE(
    "a v0 answer with a sideband ends in the flush-pkt behind its pack, not in the one behind shallow "
    "lines") {
  const std::string answer = line("shallow " + oid + "\n") + "0000" + line("NAK\n") + pack + "0000";
  CHECK(proven(UploadPackAnswer::sideband, answer));
  for (size_t bytes = 0; bytes < answer.size(); bytes++)
    CHECK_FALSE(proven(UploadPackAnswer::sideband, std::string_view(answer).substr(0, bytes)));
}

TEST_CASE("an ask says whether its client has anything") {
  const std::string want = line("want " + oid + "\n"), have = line("have " + oid + "\n");
  const std::string fetch = line("command=fetch") + "0001" + want;
  const auto has_haves = [](uint8_t version, const std::string& body) {
    const UploadPackAsk ask = read_upload_pack_request(version, false, body);
    CHECK(ask.pack_is_sure);
    return ask.has_haves;
  };
  CHECK_FALSE(has_haves(2, fetch + line("done\n") + "0000"));
  CHECK_FALSE(has_haves(2, fetch + line("deepen 1") + line("done\n") + "0000"));
  CHECK(has_haves(2, fetch + have + line("done\n") + "0000"));
  CHECK_FALSE(has_haves(0, want + "0000" + line("done\n")));
  CHECK(has_haves(0, want + "0000" + have + line("done\n")));
  CHECK_FALSE(read_upload_pack_request(2, true, fetch + have).has_haves);  // nobody can tell
}

TEST_CASE("an empty pack is a pack") {
  CHECK(proven(UploadPackAnswer::sideband, line("NAK\n") + line("\1PACK\0\0\0\2\0\0\0\0"s) + "0000"));
}

TEST_CASE("an error of Git's own is an end, once it is there whole") {
  for (const std::string& error :
       {line("ERR upload-pack: not our ref " + oid), line("\3fatal: out of disk")}) {
    for (const UploadPackAnswer answer : {UploadPackAnswer::v2, UploadPackAnswer::sideband}) {
      CHECK(proven(answer, error));
      CHECK(proven(answer, pack + error));
      CHECK_FALSE(proven(answer, error.substr(0, error.size() - 1)));
      CHECK(proven(answer, error + line("\2more")));  // its client fails in any case
      CHECK(proven(answer, error + line("\2more") + "0000"));
      CHECK_FALSE(proven(answer, error + "00"));
    }
  }
  CHECK_FALSE(proven(UploadPackAnswer::v2, line("ERROR")));
}

TEST_CASE("what is no pkt-line proves nothing, whatever follows") {
  for (const std::string_view wrong : {"PACK", "0003", "fff1", "<html>0000", "00 0"}) {
    CHECK_FALSE(proven(UploadPackAnswer::v2, wrong));
    CHECK_FALSE(proven(UploadPackAnswer::v2, std::string(wrong) + "0000"));
  }
  CHECK_FALSE(proven(UploadPackAnswer::v2, ""));
  CHECK_FALSE(proven(UploadPackAnswer::unprovable, "0000"));
}

TEST_CASE("the rest of a line needs no look") {
  UploadPackEnd end;
  end.start(UploadPackAnswer::v2);
  end.look("fff0\1PACK");
  CHECK(end.line_bytes() == 65520);
  CHECK(end.opaque() == 65520 - 9);
  end.skip(end.opaque());
  CHECK_FALSE(end.proven());
  end.look("0000");
  CHECK(end.proven());
}

TEST_CASE("what a request asks for") {
  const std::string v2 = line("command=fetch") + line("agent=git/2.39.5") + "0001" + line("thin-pack") +
                         line("want " + oid + "\n");
  CHECK(read_upload_pack_request(2, false, v2 + line("done\n") + "0000").answer == UploadPackAnswer::v2);
  CHECK(read_upload_pack_request(2, false, v2 + line("done\n") + "0000").pack_is_sure);
  CHECK_FALSE(read_upload_pack_request(2, false, v2 + line("have " + oid + "\n") + "0000").pack_is_sure);
  const std::string refs = line("command=ls-refs\n") + "0001" + line("peel\n") + "0000";
  CHECK(read_upload_pack_request(2, false, refs).answer == UploadPackAnswer::v2);
  CHECK_FALSE(read_upload_pack_request(2, false, refs).pack_is_sure);
  // The header says v2, the body is v0: there is no telling what will be answered.
  const std::string v0 = line("want " + oid + " side-band-64k\n") + "0000" + line("done\n");
  CHECK(read_upload_pack_request(2, false, v0).answer == UploadPackAnswer::unprovable);
  // gzip'd: v2 is v2, but what it asks for can't be seen.
  CHECK(read_upload_pack_request(2, true, "\x1f\x8b").answer == UploadPackAnswer::v2);
  CHECK_FALSE(read_upload_pack_request(2, true, "\x1f\x8b").pack_is_sure);
  CHECK(read_upload_pack_request(0, true, "\x1f\x8b").answer == UploadPackAnswer::unprovable);
}

TEST_CASE("a v0 request has an end that can be proven only with a sideband and done") {
  const auto request = [](std::string_view capabilities, std::string_view last) {
    return line("want " + oid + " " + std::string(capabilities) + "\n") + "0000" + line(last);
  };
  for (const uint8_t version : {uint8_t{0}, uint8_t{1}}) {
    const auto answer = [&](std::string_view capabilities, std::string_view last) {
      return read_upload_pack_request(version, false, request(capabilities, last)).answer;
    };
    CHECK(answer("multi_ack side-band-64k ofs-delta", "done\n") == UploadPackAnswer::sideband);
    CHECK(answer("side-band", "done\n") == UploadPackAnswer::sideband);
    CHECK(answer("multi_ack ofs-delta", "done\n") == UploadPackAnswer::unprovable);
    CHECK(answer("no-side-band-64k", "done\n") == UploadPackAnswer::unprovable);
    CHECK(answer("side-band-64k", "have " + oid + "\n") == UploadPackAnswer::unprovable);
  }
  CHECK(read_upload_pack_request(0, false, "garbage").answer == UploadPackAnswer::unprovable);
}
