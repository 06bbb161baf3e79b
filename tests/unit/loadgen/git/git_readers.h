// What each reader of a Git server's answers makes of bytes, by the letter in front of a recording
// (tests/fuzz/corpus/storm_git): for the tests, and for the fuzzer.
//
//   a  an advertisement                    r  an answer to ls-refs
//   2  to a v2 fetch with `done`           3  without           s  with, of SHA-256
//   0  to a v0 fetch with `done`           1  without           4  with `done` and a depth
//   p  to a push                           l  LFS batch
#pragma once

#include <string>
#include <string_view>

#include "git/advertisement.h"
#include "git/fetch_answer.h"
#include "git/lfs.h"
#include "git/push_answer.h"
#include "git/refs_answer.h"
#include "git/text_lines.h"

namespace breakwater::storm {

struct Reading {
  GitFault fault = GitFault::none;
  std::string text;   // of the complaint
  bool done = false;  // complete, taken, or a pack that is whole
  std::string refs;   // "NAME ID SYMREF\n" ...; of LFS the hrefs
  std::string pack;
  uint32_t objects = 0;
  PackCheck::Tip tip = PackCheck::Tip::not_wanted;
  size_t common = 0;
  bool operator==(const Reading&) const = default;
};

namespace detail {

inline void note_ref(void* refs, const Ref& ref) {
  std::string& all = *static_cast<std::string*>(refs);
  all += ref.name;
  all += ' ';
  all += ref.id.hex();
  all += ' ';
  all += ref.symref_target;
  all += '\n';
}

// Gives `bytes` in pieces of so many; 0: in one.
template <typename Reader>
void feed(Reader& reader, std::string_view bytes, size_t piece) {
  while (!bytes.empty()) {
    const std::string part(
        bytes.substr(0, piece == 0 ? bytes.size() : piece));  // so that no view outlives it
    bytes.remove_prefix(part.size());
    if (!reader.take(part)) return;
  }
  reader.end();
}

inline Reading read_fetch(char letter, std::string_view bytes, size_t piece, const ObjectId& tip) {
  Reading reading;
  PackCheck pack(letter == 's' ? HashKind::sha256 : HashKind::sha1);
  pack.want(tip);
  const uint8_t version = letter == '2' || letter == '3' || letter == 's' ? 2 : 0;
  FetchAnswerReader reader({version, letter == '4', letter != '3' && letter != '1'}, pack);
  reader.set_keeper([](void* context, std::string_view part) { *static_cast<std::string*>(context) += part; },
                    &reading.pack);
  feed(reader, bytes, piece);
  reading.fault = reader.complaint().fault;
  reading.text = reader.complaint().text;
  reading.done = !reader.complaint() && !reader.needs_another_round();
  reading.objects = pack.objects();
  reading.tip = pack.tip();
  reading.common = reader.common().size();
  return reading;
}

}  // namespace detail

inline Reading read(char letter, std::string_view bytes, size_t piece = 0, const ObjectId& tip = {}) {
  Reading reading;
  if (letter == 'a') {
    AdvertisementReader reader(detail::note_ref, &reading.refs);
    detail::feed(reader, bytes, piece);
    reading.fault = reader.complaint().fault;
    reading.text = reader.complaint().text;
    reading.done = reader.is_complete();
  } else if (letter == 'r') {
    RefsAnswerReader reader(detail::note_ref, &reading.refs);
    detail::feed(reader, bytes, piece);
    reading.fault = reader.complaint().fault;
    reading.text = reader.complaint().text;
    reading.done = reader.is_complete();
  } else if (letter == 'p') {
    PushAnswerReader reader;
    detail::feed(reader, bytes, piece);
    reading.fault = reader.complaint().fault;
    reading.text = reader.complaint().text;
    reading.done = reader.is_taken();
  } else if (letter == 'l') {
    const auto downloads = read_lfs_batch(bytes);
    reading.done = downloads.has_value();
    if (!downloads) reading.text = downloads.error();
    for (size_t i = 0; downloads && i < downloads->size(); ++i) reading.refs += (*downloads)[i].href + "\n";
  } else {
    reading = detail::read_fetch(letter, bytes, piece, tip);
  }
  return reading;
}

}  // namespace breakwater::storm
