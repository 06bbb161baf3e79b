// How far an upload-pack answer is, wherever it is cut.
#include "wire/pack_progress.h"

#include <doctest/doctest.h>

#include <string>

#include "wire/pkt_line.h"

using namespace breakwater::wire;
using Stage = PackProgress::Stage;

namespace {

std::string line(std::string_view payload) {
  char digits[5];
  std::snprintf(digits, sizeof digits, "%04zx", payload.size() + 4);
  return digits + std::string(payload);
}

struct Seen {
  Stage stage;
  size_t passed;
};

Seen look(UploadPackAnswer answer, std::string_view bytes, size_t cut) {
  PackProgress progress;
  progress.start(answer);
  size_t passed = 0;
  while (!bytes.empty() && progress.follows()) {
    const std::string_view piece = bytes.substr(0, cut);
    passed += progress.look(piece);
    bytes.remove_prefix(piece.size());
  }
  return {progress.stage(), passed};
}

const std::string counting = line("\2Counting objects:  50% (1/2)\r");
const std::string alive = "0005\1";
const std::string packfile = line("packfile\n");
const std::string nak = line("NAK\n");
const std::string oid(40, 'a');

}  // namespace

TEST_CASE("progress is progress until a pack begins, however it is cut") {
  for (const size_t cut : {size_t{1}, size_t{3}, size_t{7}, size_t{1000}}) {
    const std::string quiet = counting + alive + counting;
    CHECK(look(UploadPackAnswer::v2, packfile + quiet, cut).stage == Stage::progress);
    CHECK(look(UploadPackAnswer::sideband, nak + quiet, cut).stage == Stage::progress);
    CHECK(look(UploadPackAnswer::v2, packfile, cut).stage == Stage::progress);
    CHECK(look(UploadPackAnswer::v2, packfile.substr(0, 9), cut).stage == Stage::opening);
    CHECK(look(UploadPackAnswer::v2, packfile + quiet + "0009\1P", cut).stage == Stage::beyond);
    CHECK(look(UploadPackAnswer::v2, packfile + quiet + "0000", cut).stage == Stage::beyond);
    CHECK(look(UploadPackAnswer::v2, packfile + quiet + "zzzz", cut).stage == Stage::beyond);
  }
}

TEST_CASE("what stands before the sidebands may be long") {
  const std::string shallow_v2 = line("shallow-info\n") + line("shallow " + oid + "\n") + "0001" + packfile;
  const std::string ready_v2 =
      line("acknowledgments\n") + line("ACK " + oid + "\n") + line("ready\n") + "0001" + packfile;
  const std::string shallow_v0 = line("shallow " + oid + "\n") + "0000" + nak;
  const std::string ready_v0 = line("ACK " + oid + " common\n") + line("ACK " + oid + "\n");
  for (const size_t cut : {size_t{1}, size_t{3}, size_t{7}, size_t{1000}}) {
    for (const std::string& opening : {packfile, shallow_v2, ready_v2}) {
      CHECK(look(UploadPackAnswer::v2, opening.substr(0, opening.size() - 1), cut).stage == Stage::opening);
      CHECK(look(UploadPackAnswer::v2, opening + counting, cut).stage == Stage::progress);
    }
    for (const std::string& opening : {nak, shallow_v0, ready_v0}) {
      CHECK(look(UploadPackAnswer::sideband, opening.substr(0, opening.size() - 1), cut).stage ==
            Stage::opening);
      CHECK(look(UploadPackAnswer::sideband, opening + counting, cut).stage == Stage::progress);
    }
    CHECK(look(UploadPackAnswer::v2, line("acknowledgments\n") + nak + "0000", cut).stage == Stage::beyond);
    CHECK(look(UploadPackAnswer::sideband, line("ACK " + oid + " common\n") + counting, cut).stage ==
          Stage::beyond);
    CHECK(look(UploadPackAnswer::v2, line("ERR no"), cut).stage == Stage::beyond);
  }
  CHECK(look(UploadPackAnswer::unprovable, nak, 5).stage == Stage::beyond);
}

TEST_CASE("another server's opening must be the same, as far as the client has it") {
  const std::string opening = line("shallow-info\n") + line("shallow " + oid + "\n") + "0001" + packfile;
  const std::string other =
      line("shallow-info\n") + line("shallow " + std::string(40, 'b') + "\n") + "0001" + packfile;
  for (size_t bytes = 0; bytes <= opening.size() + counting.size(); bytes++) {
    PackProgress first;
    first.start(UploadPackAnswer::v2);
    first.look((opening + counting).substr(0, bytes));
    for (const size_t cut : {size_t{1}, size_t{7}, size_t{1000}}) {
      const auto goes_on = [&](const std::string& answer) {
        PackProgress second;
        second.start(UploadPackAnswer::v2, first.opening());
        for (std::string_view rest = answer; !rest.empty() && second.follows();
             rest.remove_prefix(std::min(cut, rest.size())))
          second.look(rest.substr(0, cut));
        return second.stage();
      };
      const size_t same = opening.find(oid);
      CHECK(goes_on(opening + counting) == Stage::progress);
      CHECK(goes_on(other + counting) == (bytes > same ? Stage::differs : Stage::progress));
      CHECK(goes_on(packfile + counting) ==
            (bytes > 2 ? Stage::differs : Stage::progress));  // 000d is not 0011
      CHECK(goes_on("0000") == (bytes > 2 ? Stage::differs : Stage::beyond));
      CHECK(goes_on("zzzz") == (bytes > 0 ? Stage::differs : Stage::beyond));
    }
  }
}

TEST_CASE("what stands before the line by which Git fails may pass") {
  for (const std::string& fatal : {line("\3fatal: out of memory"), line("ERR upload-pack: killed")}) {
    const Seen at_once = look(UploadPackAnswer::v2, packfile + counting + fatal, 1000);
    CHECK(at_once.stage == Stage::failed);
    CHECK(at_once.passed == packfile.size() + counting.size());
    CHECK(look(UploadPackAnswer::v2, packfile + counting + "0009\1P" + fatal, 1000).stage == Stage::beyond);
  }
}

TEST_CASE("wherever it is cut, the open line can be made a packet of progress") {
  const std::string fatal = line("\3fatal: out of memory");
  const std::string whole = packfile + counting + alive + counting + fatal;
  for (size_t bytes = packfile.size(); bytes <= whole.size(); bytes++) {
    for (const size_t cut : {size_t{1}, size_t{4}, size_t{1000}}) {
      std::string sent;
      PackProgress progress;
      progress.start(UploadPackAnswer::v2);
      for (std::string_view rest = std::string_view(whole).substr(0, bytes);
           !rest.empty() && progress.follows(); rest.remove_prefix(std::min(cut, rest.size())))
        sent += rest.substr(0, progress.look(rest.substr(0, cut)));
      char room[100];
      const std::optional<size_t> end = progress.end_open_line(room);
      REQUIRE(end);
      sent.append(room, *end);
      std::string_view lines = std::string_view(sent).substr(packfile.size());
      while (!lines.empty()) {
        const PktLine each = read_pkt_line(lines);
        REQUIRE(each.kind == PktLine::Kind::data);
        CHECK((each.payload[0] == '\2' || each.payload == "\1"));
        lines.remove_prefix(each.bytes);
      }
    }
  }
}

TEST_CASE("a line that is longer than there is room for stays open; an opening goes on where it was") {
  PackProgress progress;
  progress.start(UploadPackAnswer::v2);
  char room[100];
  CHECK(progress.end_open_line(room) == 0u);
  progress.look(packfile.substr(0, 5));
  CHECK(progress.end_open_line(room) == 0u);
  progress.look(packfile.substr(5) + "f");
  CHECK_FALSE(progress.end_open_line(room));
}
