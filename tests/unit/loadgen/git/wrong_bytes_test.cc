// No answer that is not what the server said passes for sound: every byte with every wrong value, left out
// and doubled, every pkt-line lost, doubled or out of place, everything cut, and things behind the end.
#include <doctest/doctest.h>

#include <bit>
#include <cctype>
#include <string>
#include <vector>

#include "base/rng.h"
#include "git_readers.h"
#include "recordings.h"
#include "small_packs.h"

using namespace breakwater;
using namespace breakwater::storm;
using namespace breakwater::storm::by_hand;

namespace {

enum class Part : uint8_t { length, text, band, data };

// What each byte of an answer is. Lines whose first byte is 1, 2 or 3 are of side-band.
std::vector<Part> parts_of(std::string_view answer) {
  std::vector<Part> parts;
  while (!answer.empty()) {
    const size_t said = std::stoul(std::string(answer.substr(0, 4)), nullptr, 16);
    const std::string_view line = answer.substr(0, std::max<size_t>(said, 4));
    const bool has_band = line.size() > 4 && line[4] >= 1 && line[4] <= 3;
    parts.insert(parts.end(), 4, Part::length);
    parts.insert(parts.end(), line.size() - 4, has_band ? Part::data : Part::text);
    if (has_band) parts[parts.size() - (line.size() - 4)] = Part::band;
    answer.remove_prefix(line.size());
  }
  return parts;
}

bool is_sound(std::string_view recording) {
  const Reading reading = read(recording[0], recording.substr(1));
  CHECK(reading.done == (reading.fault == GitFault::none && !reading.pack.empty()));
  return reading.done;
}

// The places where a pkt-line begins, with the end.
std::vector<size_t> places_of_lines(std::string_view answer) {
  std::vector<size_t> places = {0};
  while (places.back() < answer.size()) {
    const size_t said = std::stoul(std::string(answer.substr(places.back(), 4)), nullptr, 16);
    places.push_back(places.back() + std::max<size_t>(said, 4));
  }
  return places;
}

bool is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

// Some objects that don't compress, so that pkt-lines differ.
std::string some_pack() {
  std::string objects;
  for (uint64_t seed = 1; seed <= 5; ++seed) objects += packed(PackType::blob, noise(seed * 20, seed));
  return pack_of(5, objects);
}

const char* const answers_with_packs[] = {"v2_clone", "v0_clone",  "v2_depth",  "v0_depth",       "v2_fetch",
                                          "v0_fetch", "v2_deepen", "v0_deepen", "v2_clone_sha256"};

}  // namespace

// Clones with every wrong value; the others with one wrong bit, for time's sake.
TEST_CASE("wrong bytes: one byte that is wrong, wherever it is") {
  for (const std::string name : answers_with_packs) {
    CAPTURE(name);
    const bool is_clone = name == "v2_clone" || name == "v0_clone";
    const std::string recording = recorded(name);
    REQUIRE(is_sound(recording));
    const std::vector<Part> parts = parts_of(std::string_view(recording).substr(1));
    for (size_t at = 1; at < recording.size(); ++at) {
      const char right = recording[at];
      std::string wrong = recording;
      for (int value = 0; value < 256; ++value) {
        wrong[at] = static_cast<char>(value);
        const bool is_one_bit = std::has_single_bit(static_cast<uint8_t>(value ^ right));
        if (wrong[at] == right || (!is_clone && !is_one_bit) || !is_sound(wrong)) continue;
        CAPTURE(at);
        CAPTURE(value);
        // What may pass is the same length in capitals, and in what a server tells of commits, beside the
        // pack, another name, a word that says the same, and a space for a line feed.
        const Part part = parts[at - 1];
        CHECK((part == Part::length || part == Part::text));
        if (part == Part::length) CHECK(std::tolower(value) == right);
        if (part == Part::text && !is_hex(right))
          CHECK(((right == '\n' && value == ' ') || (right == 'A' && value == 2)));
      }
    }
  }
}

TEST_CASE("wrong bytes: a byte that is lost, or comes twice") {
  for (const std::string name : answers_with_packs) {
    CAPTURE(name);
    const std::string recording = recorded(name);
    for (size_t at = 1; at < recording.size(); ++at) {
      CAPTURE(at);
      CHECK_FALSE(is_sound(recording.substr(0, at) + recording.substr(at + 1)));
      CHECK_FALSE(is_sound(recording.substr(0, at) + recording[at] + recording.substr(at)));
    }
  }
}

TEST_CASE("wrong bytes: a line of the pack that is lost, comes twice or changes places with another") {
  for (const size_t line_bytes : {1, 7, 50}) {
    CAPTURE(line_bytes);
    const std::string answer = '2' + v2_answer(some_pack(), line_bytes);
    REQUIRE(is_sound(answer));
    const std::vector<size_t> places = places_of_lines(std::string_view(answer).substr(1));
    const auto line = [&](size_t index) {
      return answer.substr(1 + places[index], places[index + 1] - places[index]);
    };
    const size_t lines = places.size() - 1;
    for (size_t at = 0; at < lines; ++at) {
      CAPTURE(at);
      const std::string before = answer.substr(0, 1 + places[at]);
      const std::string behind = answer.substr(1 + places[at + 1]);
      CHECK_FALSE(is_sound(before + behind));
      CHECK_FALSE(is_sound(before + line(at) + line(at) + behind));
      if (at + 1 == lines || line(at) == line(at + 1)) continue;
      CHECK_FALSE(is_sound(before + line(at + 1) + line(at) + answer.substr(1 + places[at + 2])));
    }
  }
}

TEST_CASE("wrong bytes: what stands behind the end") {
  for (const char* const name :
       {"v2_clone", "v0_clone", "v2_nothing_common", "adv_v0", "adv_v1", "adv_v2", "ls_refs", "push_taken"}) {
    CAPTURE(name);
    const std::string recording = recorded(name);
    const std::string more[] = {"0",
                                "0000",
                                "0001",
                                "0002",
                                "0004",
                                "0005\1",
                                "0009done\n",
                                "0006\2x",
                                "x",
                                "\n",
                                pkt_line("unpack ok\n"),
                                recording.substr(1)};
    for (const std::string& each : more) {
      CAPTURE(each);
      const Reading reading = read(recording[0], recording.substr(1) + each);
      CHECK_FALSE(reading.done);
      CHECK(reading.fault != GitFault::none);
    }
  }
}

TEST_CASE("wrong bytes: an end that no pack followed where one must") {
  // `no-done`: once a server said that it is ready, its pack comes in the same answer.
  const std::string id(40, 'a');
  const std::string common = pkt_line("ACK " + id + " common\n");
  CHECK(read('1', common + "0008NAK\n").fault == GitFault::none);
  CHECK(read('1', common + pkt_line("ACK " + id + " ready\n")).fault == GitFault::truncated);
  CHECK(read('1', common + "0008NAK\n" + pkt_line("ACK " + id + "\n")).fault == GitFault::truncated);
  CHECK(read('0', common + pkt_line("ACK " + id + "\n")).fault == GitFault::truncated);
  CHECK(read('3', pkt_line("acknowledgments\n") + pkt_line("ready\n") + "0000").fault == GitFault::not_git);
  CHECK(read('2', pkt_line("packfile\n") + "0000").fault == GitFault::not_git);
  CHECK(read('2', pkt_line("packfile\n") + "0005\1" + "0000").fault == GitFault::not_git);
  CHECK(read('2', "").fault == GitFault::truncated);
}

TEST_CASE("wrong bytes: progress and signs of life between the lines are no part of a pack") {
  const std::string pack = some_pack();
  Rng rng(7);
  for (int round = 0; round < 200; ++round) {
    std::string answer = pkt_line("packfile\n");
    std::string_view rest = pack;
    while (!rest.empty()) {
      if (rng.next() % 3 == 0) answer += pkt_line("\2" + noise(rng.next() % 30, rng.next()));
      if (rng.next() % 3 == 0) answer += "0005\1";
      const size_t bytes = 1 + rng.next() % 40;
      answer += pkt_line('\1' + std::string(rest.substr(0, bytes)));
      rest.remove_prefix(std::min(bytes, rest.size()));
    }
    const Reading reading = read('2', answer + pkt_line("\2done\n") + "0000", rng.next() % 20);
    CHECK(reading.done);
    CHECK(reading.pack == pack);
  }
}

TEST_CASE("wrong bytes: a server that gives up says so wherever it is") {
  for (const auto& file : std::filesystem::directory_iterator(RECORDED_GIT)) {
    const std::string name = file.path().filename();
    const std::string recording = recorded(name);
    if (name == "lfs" || name == "error" || name == "band_3" || recording[0] == 'p') continue;
    const std::string answer = recording.substr(1);
    for (const size_t place : places_of_lines(answer)) {
      CAPTURE(name);
      CAPTURE(place);
      const Reading reading = read(recording[0], answer.substr(0, place) + pkt_line("ERR out of\tbreath\n"));
      CHECK(reading.fault == GitFault::error);
      CHECK(reading.text == "out of breath");
    }
  }
}

TEST_CASE("wrong bytes: an answer reads the same in pieces of any size") {
  for (const auto& file : std::filesystem::directory_iterator(RECORDED_GIT)) {
    const std::string name = file.path().filename();
    const std::string recording = recorded(name);
    if (name == "lfs" || name == "band_3") continue;
    const std::string answer = recording.substr(1);
    const Reading whole = read(recording[0], answer);
    for (size_t at = 1; at < answer.size(); ++at) {
      CAPTURE(name);
      CAPTURE(at);
      CHECK(read(recording[0], answer, at, {}) == whole);
    }
  }
}

TEST_CASE("wrong bytes: texts of a server have a bound, and nothing that steers a terminal") {
  const std::string esc = "\x1b[31m";
  const Reading error = read('2', pkt_line("ERR " + esc + std::string(3000, 'e') + "\n"));
  CHECK(error.fault == GitFault::error);
  CHECK(error.text.size() == Complaint::text_bytes_max);
  CHECK(error.text.starts_with(" [31meee"));
  const Reading band = read('2', pkt_line("packfile\n") + pkt_line("\3" + esc + std::string(60000, 'b')));
  CHECK(band.fault == GitFault::sideband);
  CHECK(band.text.size() == Complaint::text_bytes_max);
  const Reading line = read('r', pkt_line(std::string(40, 'a') + " refs/heads/" + std::string(5000, 'x')));
  CHECK(line.fault == GitFault::not_git);
}
