// Bodies: the payload is the same however the bytes are cut; every malformed framing is refused.
#include "wire/http_body.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/rng.h"

using namespace breakwater::wire;
using breakwater::Rng;

namespace {

struct Walked {
  std::string payload;
  std::string rest;  // bytes beyond the end of the body
  std::string trailers;
  Fault fault = Fault::none;
  bool done = false;
};

// Feeds `wire` in pieces of the given sizes, over and over.
Walked walk(const BodyFraming& framing, const std::string& wire, const std::vector<size_t>& cuts) {
  BodyReader reader;
  reader.start(framing);
  Walked walked;
  size_t at = 0;
  size_t cut = 0;
  while (at < wire.size()) {
    std::string buffer = wire.substr(at, cuts[cut++ % cuts.size()]);
    at += buffer.size();
    std::span<char> raw(buffer);
    while (!raw.empty() && !reader.done() && reader.fault() == Fault::none) {
      Pieces pieces;
      const size_t used = reader.walk(raw, pieces);
      for (size_t index = 0; index < pieces.count; index++) {
        walked.payload.append(pieces.piece[index].data, pieces.piece[index].bytes);
      }
      raw = raw.subspan(used);
    }
    walked.rest.append(raw.data(), raw.size());
  }
  walked.done = reader.done();
  walked.fault = reader.fault();
  if (walked.done) walked.trailers = reader.trailers();
  return walked;
}

const BodyFraming chunked{BodyKind::chunked, 0};

std::string hex(size_t value) {
  std::array<char, chunk_header_bytes_max> text;
  return {text.data(), write_chunk_header(value, text) - 2};
}

}  // namespace

TEST_CASE("random chunkings cut at random places give their payload, whatever the chunk sizes") {
  for (uint64_t seed = 1; seed <= 300; seed++) {
    Rng rng(seed);
    std::string payload;
    std::string wire;
    const size_t chunks = rng.next() % 200;
    const size_t chunk_max = 1 + rng.next() % (seed % 3 == 0 ? 9000 : 40);
    for (size_t count = 0; count < chunks; count++) {
      const std::string chunk(1 + rng.next() % chunk_max, static_cast<char>('a' + rng.next() % 26));
      payload += chunk;
      wire += hex(chunk.size());
      if (rng.next() % 4 == 0) wire += ";name=\"value\"";
      wire += "\r\n" + chunk + "\r\n";
    }
    wire += "0\r\nX-Check: abc\r\nContent-Length: 7\r\nX-Remote-User: root\r\n\r\nGET /next";
    std::vector<size_t> cuts;
    for (int count = 0; count < 7; count++)
      cuts.push_back(1 + rng.next() % (rng.next() % 2 == 0 ? 10 : 30000));
    const Walked walked = walk(chunked, wire, cuts);
    CAPTURE(seed);
    CHECK(walked.done);
    CHECK(walked.fault == Fault::none);
    CHECK(walked.payload == payload);
    CHECK(walked.rest == "GET /next");
    CHECK(walked.trailers == "X-Check: abc\r\n");
  }
}

TEST_CASE("malformed chunks are refused wherever they are cut") {
  const std::vector<std::string> wires{"5\nhello\r\n0\r\n\r\n",
                                       "5\r\nhello\n0\r\n\r\n",
                                       "5\r\nhelloX0\r\n\r\n",
                                       "+5\r\nhello\r\n0\r\n\r\n",
                                       "-5\r\nhello\r\n0\r\n\r\n",
                                       "0x5\r\nhello\r\n0\r\n\r\n",
                                       " 5\r\nhello\r\n0\r\n\r\n",
                                       "5 \r\nhello\r\n0\r\n\r\n",
                                       "\r\n",
                                       ";a\r\n",
                                       "g\r\n",
                                       "5\r\rhello\r\n0\r\n\r\n",
                                       "1000000000000000\r\n",
                                       "0000000000000005\r\nhello\r\n",
                                       "5;a\nb\r\nhello\r\n",
                                       "5;\x01\r\nhello\r\n",
                                       "0\r\nX\r\n\r\n",
                                       "0\r\n: x\r\n\r\n",
                                       "0\r\nX: a\nb\r\n\r\n",
                                       "0\r\nX: a\r\r\n\r\n",
                                       "0\r\n\n",
                                       "0\r\nX y: a\r\n\r\n",
                                       "0\r\nContent_Length: 3\r\n\r\n",
                                       "0\r\nX: " + std::string(2000, 'a') + "\r\n\r\n",
                                       "5;" + std::string(500, 'a') + "\r\nhello\r\n0\r\n\r\n"};
  for (const std::string& wire : wires) {
    for (const size_t cut : {size_t{1}, size_t{2}, size_t{3}, size_t{10000}}) {
      CAPTURE(wire.substr(0, 40));
      CAPTURE(cut);
      const Walked walked = walk(chunked, wire, {cut});
      CHECK(walked.fault != Fault::none);
      CHECK_FALSE(walked.done);
    }
  }
}

TEST_CASE("a body of known length ends where it ends") {
  const Walked walked = walk({BodyKind::length, 5}, "helloGET /", {3});
  CHECK(walked.done);
  CHECK(walked.payload == "hello");
  CHECK(walked.rest == "GET /");
  BodyReader reader;
  reader.start({BodyKind::length, 5});
  CHECK(reader.remaining() == 5);
  reader.skip(3);
  CHECK(reader.remaining() == 2);
  CHECK_FALSE(reader.end_of_connection());
  CHECK(reader.fault() == Fault::truncated_body);
}

TEST_CASE("the end of the connection completes only a body that ends with it") {
  BodyReader reader;
  reader.start({BodyKind::until_close, 0});
  reader.skip(100);
  CHECK(reader.end_of_connection());
  CHECK(reader.done());
  CHECK(reader.payload_bytes() == 100);
  reader.start(chunked);
  CHECK_FALSE(reader.end_of_connection());
  CHECK(reader.fault() == Fault::truncated_body);
}

namespace {

// What may pass of `raw` when all of it is there at once, and whether that is the whole body.
std::pair<size_t, bool> vetted(std::string_view raw) {
  BodyReader reader;
  reader.start(chunked);
  const size_t bytes = reader.vet(raw);
  return {bytes, reader.done()};
}

}  // namespace

TEST_CASE("chunks may pass with their framing only in the one form that can't be misread") {
  CHECK(vetted("3\r\nabc\r\n0\r\n\r\nGET") == std::pair<size_t, bool>(13, true));
  CHECK(vetted("3\r\nabc\r\n1F40\r\nx") == std::pair<size_t, bool>(15, false));
  // A line that is not there whole, and any other form, is left to walk().
  for (const std::string_view left :
       {"1F4", "1F40\r", "01\r\na", "1;x=y\r\na", "1 \r\na", "123456789\r\n", "0\r\n", "0\r\nX: y\r\n\r\n",
        "00\r\n\r\n", "0;x\r\n\r\n", "\r\n", "1\n"}) {
    CAPTURE(left);
    CHECK(vetted("3\r\nabc\r\n" + std::string(left)) == std::pair<size_t, bool>(8, false));
  }
  BodyReader reader;
  reader.start(chunked);
  CHECK(reader.vet("3\r\nabcX") == 6);
  CHECK(reader.fault() == Fault::bad_chunk);
}

TEST_CASE("a chunk line that is not there whole is told from one of another form") {
  const auto is_cut = [](std::string_view left) {
    BodyReader reader;
    reader.start(chunked);
    const std::string raw = "3\r\nabc\r\n" + std::string(left);
    CHECK(reader.vet(raw) == 8);
    CHECK(reader.vet(left) == 0);
    return reader.line_is_cut();
  };
  for (const std::string_view cut : {"1", "1F40", "1F40\r", "0", "0\r", "0\r\n", "0\r\n\r"})
    CHECK(is_cut(cut));
  for (const std::string_view other : {"01", "1;", "1 \r", "123456789", "0\r\nX", "00", "1\n", "1\rX", "g"})
    CHECK_FALSE(is_cut(other));
}

TEST_CASE("the line of a large chunk, and the line end before it") {
  CHECK(large_chunk_line("\r\n1000\r\nx") == 8);
  CHECK(large_chunk_line("10000\r\n") == 7);
  CHECK(large_chunk_line("\r\nABCDEF12\r\n") == 12);
  for (const std::string_view other :
       {"", "\r", "\r\n", "\r\n1000", "\r\n1000\r", "\r\nfff\r\n", "\r\n01000\r\n", "\r\n1000;x\r\n",
        "\r\n123456789\r\n", "\r\n0\r\n\r\n", "\r\n\r\n1000\r\n", "\r\n1000\n", "g000\r\n"}) {
    CAPTURE(other);
    CHECK(large_chunk_line(other) == 0);
  }
}

TEST_CASE("what passes unseen, and what walk() takes over") {
  BodyReader reader;
  reader.start(chunked);
  CHECK(reader.can_vet());
  CHECK(reader.vet("10000\r\nab") == 9);
  CHECK(reader.chunk_bytes() == 65536);
  CHECK(reader.opaque() == 65534);
  reader.skip(65534);
  CHECK(reader.opaque() == 0);
  CHECK(reader.vet("\r") == 1);
  CHECK_FALSE(reader.can_vet());
  CHECK(reader.vet("\n") == 1);
  reader.skip(0);  // between chunks nothing passes unseen, and that changes nothing
  CHECK(reader.can_vet());
  CHECK(reader.payload_bytes() == 65536);
  Pieces pieces;
  std::string rest = "4;x=y\r\nwalk\r\n0\r\nX-A: b\r\n\r\n";
  CHECK(reader.walk(rest, pieces) == rest.size());
  CHECK(reader.done());
  CHECK(reader.payload_bytes() == 65540);
  CHECK(reader.trailers() == "X-A: b\r\n");
  // In the middle of a chunk line that walk() began nothing is vetted.
  reader.start(chunked);
  std::string begun = "1";
  CHECK(reader.walk(begun, pieces) == 1);
  CHECK_FALSE(reader.can_vet());
  CHECK(reader.vet("0\r\n") == 0);
}

TEST_CASE("no body is done at once") {
  BodyReader reader;
  reader.start({});
  CHECK(reader.done());
  reader.start({BodyKind::length, 0});
  CHECK(reader.done());
}

TEST_CASE("small pieces are joined, large ones gathered") {
  std::string wire;
  for (int count = 0; count < 100; count++) wire += "3\r\nabc\r\n";
  BodyReader reader;
  reader.start(chunked);
  Pieces pieces;
  CHECK(reader.walk(wire, pieces) == wire.size());
  CHECK(pieces.count == 1);
  CHECK(pieces.bytes == 300);
}

TEST_CASE("the chunk line that we write") {
  CHECK(hex(1) == "1");
  CHECK(hex(16) == "10");
  CHECK(hex(131072) == "20000");
  CHECK(hex(SIZE_MAX) == "ffffffffffffffff");
}
