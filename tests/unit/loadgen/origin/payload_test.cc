// Bodies on their way: packets and chunks hold exactly what the pack is, in whatever pieces they are taken.
#include <doctest/doctest.h>

#include <cstdlib>

#include "git/synthetic_commit.h"
#include "origin/payload.h"
#include "wire/pkt_line.h"

using namespace breakwater::storm;
using namespace breakwater::storm::origin;

namespace {

Reply reply_of(const std::vector<size_t>& pieces, uint16_t packet_bytes) {
  static const std::string memory = noise(1, 1'000'000);
  auto plan = std::make_shared<FetchPlan>();
  plan->pack.header = "PACKheader..";
  plan->pack.hash = "twenty bytes of hash";
  plan->pack.bytes = plan->pack.header.size() + plan->pack.hash.size();
  size_t at = 0;
  for (const size_t bytes : pieces) {
    plan->pack.pieces.push_back(std::string_view(memory).substr(at, bytes));
    plan->pack.bytes += bytes;
    at += bytes + 7;
  }
  Reply reply;
  reply.front = "0008NAK\n";
  reply.plan = std::move(plan);
  reply.packet_bytes = packet_bytes;
  reply.back = packet_bytes > 0 ? "0000" : "";
  return reply;
}

std::string pack_of(const Reply& reply) {
  std::string all = reply.plan->pack.header;
  for (const std::string_view piece : reply.plan->pack.pieces) all += piece;
  return all + reply.plan->pack.hash;
}

std::string sent(Framer& framer, size_t bytes_max) {
  std::string all;
  Batch batch;
  while (!framer.done()) {
    batch.clear();
    framer.fill(batch, bytes_max);
    for (const iovec& part : batch.parts()) all.append(static_cast<const char*>(part.iov_base), part.iov_len);
  }
  return all;
}

std::string without_chunks(std::string_view text) {
  std::string body;
  for (;;) {
    const size_t line = text.find("\r\n");
    REQUIRE(line != std::string_view::npos);
    const size_t bytes = std::strtoull(std::string(text.substr(0, line)).c_str(), nullptr, 16);
    text.remove_prefix(line + 2);
    body += text.substr(0, bytes);
    REQUIRE(text.substr(bytes).starts_with("\r\n"));
    text.remove_prefix(bytes + 2);
    if (bytes == 0) {
      CHECK(text.empty());
      return body;
    }
  }
}

std::string without_packets(std::string_view body) {
  std::string pack;
  CHECK(body.starts_with("0008NAK\n"));
  body.remove_prefix(8);
  for (;;) {
    const breakwater::wire::PktLine line = breakwater::wire::read_pkt_line(body);
    if (line.kind == breakwater::wire::PktLine::Kind::flush) {
      CHECK(body == "0000");
      return pack;
    }
    REQUIRE(line.kind == breakwater::wire::PktLine::Kind::data);
    CHECK(line.payload[0] == 1);
    pack += line.payload.substr(1);
    body.remove_prefix(line.bytes);
  }
}

}  // namespace

TEST_CASE("payload: what is sent is what was to be sent, by whatever server's chunks") {
  for (const Framing framing : {Framing::apache, Framing::nginx, Framing::go}) {
    for (const uint16_t packet_bytes : {uint16_t{1000}, uint16_t{65520}}) {
      for (const size_t bytes_max : {size_t{1}, size_t{1000}, Batch::bytes_max}) {
        const Reply reply = reply_of({100'000, 1, 300, 65'515, 70'000}, packet_bytes);
        Payload payload(reply);
        Framer framer(payload, true, framing, payload.bytes(), payload.bytes());
        CHECK(without_packets(without_chunks(sent(framer, bytes_max))) == pack_of(reply));
        CHECK(payload.taken() == payload.bytes());
      }
    }
  }
}

TEST_CASE("payload: as it is, without packets and chunks") {
  const Reply reply = reply_of({1000, 2000}, 0);
  Payload payload(reply);
  Framer framer(payload, false, Framing::go, payload.bytes(), payload.bytes());
  CHECK(sent(framer, 100) == reply.front + pack_of(reply));
  Reply empty;
  Payload none(empty);
  Framer chunks(none, true, Framing::go, 0, 0);
  CHECK(sent(chunks, 100) == "0\r\n\r\n");
}

TEST_CASE("payload: one bit of the pack is wrong, wherever the dice fall, and nothing else") {
  for (uint64_t dice = 0; dice < 4000; dice += 17) {
    const Reply reply = reply_of({100, 1, 300}, 1000);
    Payload payload(reply);
    payload.flip(dice);
    Framer framer(payload, true, Framing::apache, payload.bytes(), payload.bytes());
    std::string wrong = without_packets(without_chunks(sent(framer, Batch::bytes_max)));
    CHECK(payload.has_flipped());
    const std::string right = pack_of(reply);
    REQUIRE(wrong.size() == right.size());
    size_t differ = 0;
    for (size_t at = 0; at < right.size(); at++) differ += wrong[at] != right[at];
    CHECK(differ == 1);
  }
}

TEST_CASE("payload: an early end is where it was told, with and without the last chunk") {
  const Reply reply = reply_of({100'000}, 65520);
  Payload cut(reply);
  Framer framer(cut, true, Framing::nginx, cut.bytes(), 50'000);
  const std::string reset = sent(framer, Batch::bytes_max);
  CHECK(cut.taken() == 50'000);
  CHECK_FALSE(reset.ends_with("0\r\n\r\n"));
  Payload truncated(reply);
  Framer clean(truncated, true, Framing::nginx, 50'000, 50'000);
  CHECK(without_chunks(sent(clean, Batch::bytes_max)).size() == 50'000);
}

TEST_CASE("payload: a part of the body first, and then the rest") {
  const Reply reply = reply_of({100'000}, 65520);
  Payload payload(reply);
  Framer framer(payload, true, Framing::apache, payload.bytes(), payload.bytes());
  Batch batch;
  framer.fill_only(batch, reply.front.size());
  std::string all;
  for (const iovec& part : batch.parts()) all.append(static_cast<const char*>(part.iov_base), part.iov_len);
  CHECK(all.ends_with(reply.front));
  all += sent(framer, Batch::bytes_max);
  CHECK(without_packets(without_chunks(all)) == pack_of(reply));
}
