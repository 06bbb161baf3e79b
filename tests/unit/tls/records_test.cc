// Records, by those of another side that has the same keys and says what it likes; and by the library's,
// which shows that they are TLS.
#include "tls/records.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <vector>

#include "base/rng.h"
#include "tls/engine.h"
#include "unit/tls/world.h"

using namespace breakwater;
using namespace breakwater::tls;
using namespace breakwater::tls::testing;

namespace {

std::string noise(size_t bytes) {
  Rng rng(11);
  std::string text(bytes, '\0');
  for (char& c : text) c = static_cast<char>(rng.next());
  return text;
}

void fill(TrafficKey& key, Version version, Cipher cipher, uint8_t key_bytes, uint8_t seed) {
  key.version = version;
  key.cipher = cipher;
  key.key.fill(seed);
  key.key_bytes = key_bytes;
  key.nonce.fill(static_cast<uint8_t>(seed + 1));
  key.nonce_bytes = version == Version::tls12 && cipher == Cipher::aes_gcm ? 4 : 12;
  key.secret.fill(static_cast<uint8_t>(seed + 2));
  key.secret_bytes = version == Version::tls12 ? 0 : key_bytes == 32 && cipher == Cipher::aes_gcm ? 48 : 32;
}

// What a server has, and a client of the same keys that need not be honest.
struct Sides {
  Records server;
  RecordKey client, from_server;
  std::string back = std::string(4096, '\0');

  explicit Sides(Version version = Version::tls13, Cipher cipher = Cipher::aes_gcm, uint8_t key_bytes = 16) {
    for (RecordKey* const key : {&server.receiving, &client})
      fill(key->traffic_key(), version, cipher, key_bytes, 1);
    for (RecordKey* const key : {&server.sending, &from_server})
      fill(key->traffic_key(), version, cipher, key_bytes, 100);
    REQUIRE(server.start());
    REQUIRE(client.set());
    REQUIRE(from_server.set());
  }

  std::string record(RecordType type, std::string_view content) {
    std::string out(content.size() + RecordKey::overhead_max, '\0');
    out.resize(client.seal(type, content, out.data()));
    return out;
  }
  // What the server makes of it; its answers are left in `back`.
  std::string give(std::string records, Step* step = nullptr) {
    std::string text(records.size() + 100, '\0');
    std::span<char> in(records), data(text), out(back);
    const Step last = server.open(in, data, out);
    if (step != nullptr) *step = last;
    answer = back.substr(0, back.size() - out.size());
    return text.substr(0, text.size() - data.size());
  }
  // The content of the server's first record in `answer`, as it was meant: type in front.
  std::string answered() {
    if (answer.size() < RecordKey::head_bytes) return "";
    auto type = static_cast<RecordType>(answer[0]);
    const size_t bytes =
        static_cast<size_t>(static_cast<uint8_t>(answer[3]) << 8 | static_cast<uint8_t>(answer[4]));
    std::span<char> content(answer.data() + RecordKey::head_bytes, bytes);
    REQUIRE(from_server.open(type, content));
    const std::string said = static_cast<char>(type) + std::string(content.data(), content.size());
    answer.erase(0, RecordKey::head_bytes + bytes);
    return said;
  }
  std::string answer;

  void refuses(std::string_view records, FaultKind kind, uint8_t alert) {
    Step step = Step::done;
    CHECK(give(std::string(records), &step).empty());
    CHECK(step == Step::failed);
    CHECK(server.fault().kind == kind);
    CHECK(answered() == std::string({21, 2, static_cast<char>(alert)}));
    CHECK(give(record(RecordType::data, "late")).empty());
    CHECK(server.ended().kind == kind);
  }
};

constexpr std::string_view update("\x18\0\0\x01\0", 5);
constexpr std::string_view asking_update("\x18\0\0\x01\x01", 5);

struct Suite {
  Version version;
  Cipher cipher;
  uint8_t key_bytes;
};
constexpr std::array<Suite, 6> suites_of_both = {{{Version::tls12, Cipher::aes_gcm, 16},
                                                  {Version::tls12, Cipher::aes_gcm, 32},
                                                  {Version::tls12, Cipher::chacha20_poly1305, 32},
                                                  {Version::tls13, Cipher::aes_gcm, 16},
                                                  {Version::tls13, Cipher::aes_gcm, 32},
                                                  {Version::tls13, Cipher::chacha20_poly1305, 32}}};

}  // namespace

TEST_CASE("tls records: the library opens ours, and ours open the library's, by every suite") {
  constexpr std::array<const char*, 6> names = {
      "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305",
      "TLS13-AES128-GCM-SHA256",       "TLS13-AES256-GCM-SHA384",       "TLS13-CHACHA20-POLY1305-SHA256"};
  for (const char* const name : names) {
    CAPTURE(name);
    const Version version = std::string_view(name).starts_with("TLS13") ? Version::tls13 : Version::tls12;
    Engine client(client_context("ca.pem", version), "git.example.com"), server(server_context());
    REQUIRE(wolfSSL_set_cipher_list(client.library(), name) == WOLFSSL_SUCCESS);
    Wire wire(client, server);
    wire.shake_hands();
    REQUIRE(wire.both_done());
    for (const size_t bytes : {1, 15, 16, 17, 1000, 16383, 16384, 16385, 100'000}) {
      const std::string text = noise(bytes);
      CHECK(wire.to_server(text) == text);
      CHECK(wire.to_client(text) == text);
    }
  }
}

TEST_CASE("tls records: of every length, opened to every place at or before their own") {
  for (const Suite& suite : suites_of_both) {
    CAPTURE(static_cast<int>(suite.version));
    CAPTURE(static_cast<int>(suite.cipher));
    CAPTURE(int{suite.key_bytes});
    Sides sides(suite.version, suite.cipher, suite.key_bytes);
    const std::string all = noise(16'384);
    for (size_t bytes = 1; bytes <= 16'384; bytes += bytes < 700 ? 1 : 977) {
      CAPTURE(bytes);
      const std::string record = sides.record(RecordType::data, std::string_view(all).substr(0, bytes));
      REQUIRE(record.size() <= bytes + RecordKey::overhead_max);
      const size_t before = bytes * 7 % 400;  // from none to much
      std::string place = std::string(before, '\0') + record;
      std::span<char> in(place.data() + before, record.size()), data(place), out(sides.back);
      REQUIRE(sides.server.open(in, data, out) == Step::wants_input);
      REQUIRE(std::string_view(place).substr(0, place.size() - data.size()) ==
              std::string_view(all).substr(0, bytes));
    }
  }
}

TEST_CASE("tls records: any bit that is altered is noticed, and a record that comes twice") {
  for (const Suite& suite : suites_of_both) {
    const auto changed = [&](size_t bit) {
      Sides sides(suite.version, suite.cipher, suite.key_bytes);
      std::string record = sides.record(RecordType::data, "some data");
      if (bit >= record.size() * 8) return false;
      char& altered = record[bit / 8];
      altered = static_cast<char>(altered ^ (1 << bit % 8));
      Step step = Step::done;
      CHECK(sides.give(record, &step).empty());
      // With another length more of it is waited for, or it was cut.
      const bool is_length = bit / 8 == 3 || bit / 8 == 4;
      CHECK((step == Step::failed || (is_length && step == Step::wants_input)));
      return true;
    };
    for (size_t bit = 0; changed(bit); bit++) {
    }
    Sides sides(suite.version, suite.cipher, suite.key_bytes);
    const std::string record = sides.record(RecordType::data, "once");
    CHECK(sides.give(record) == "once");
    sides.refuses(record, FaultKind::bad_record, 20);
  }
}

TEST_CASE("tls records: a key update, in pieces too, changes the keys of one direction, or of both") {
  Sides sides;
  CHECK(sides.give(sides.record(RecordType::handshake, update)).empty());
  REQUIRE(sides.client.update());
  CHECK(sides.answer.empty());
  CHECK(sides.give(sides.record(RecordType::data, "new keys")) == "new keys");
  CHECK(sides.give(sides.record(RecordType::handshake, asking_update.substr(0, 2))).empty());
  CHECK(sides.give(sides.record(RecordType::handshake, asking_update.substr(2))).empty());
  REQUIRE(sides.client.update());
  CHECK(sides.answered() == "\x16" + std::string(update));
  REQUIRE(sides.from_server.update());
  std::span<const char> text("answer", 6);
  std::span<char> out(sides.back);
  CHECK(sides.server.seal(text, out) == Step::done);
  sides.answer = sides.back.substr(0, sides.back.size() - out.size());
  CHECK(sides.answered() ==
        "\x17"
        "answer");
  CHECK(sides.give(sides.record(RecordType::data, "newer keys")) == "newer keys");
}

TEST_CASE("tls records: a key that sealed as many as it may is followed by the next") {
  Sides sides;
  sides.server.sending.traffic_key().sequence = Records::records_of_key_max - 1;
  sides.from_server.traffic_key().sequence = Records::records_of_key_max - 1;
  const std::string data = noise(20'000);
  std::string room(30'000, '\0');
  std::span<const char> left(data);
  std::span<char> out(room);
  CHECK(sides.server.seal(left, out) == Step::done);
  sides.answer = room.substr(0, room.size() - out.size());
  CHECK(sides.answered() == "\x17" + data.substr(0, 16'384));
  CHECK(sides.answered() == "\x16" + std::string(update));
  REQUIRE(sides.from_server.update());
  CHECK(sides.answered() == "\x17" + data.substr(16'384));
  CHECK(sides.answer.empty());
}

TEST_CASE("tls records: what no honest client sends after its handshake") {
  using enum RecordType;
  const std::string two_updates = std::string(update) + std::string(update);
  Sides().refuses(std::string("\x17\x03\x03\x40\x10", 5) + std::string(16'400, 'x'), FaultKind::bad_record,
                  20);
  Sides().refuses(std::string("\x17\x03\x03\x41\x01", 5), FaultKind::protocol, 22);
  Sides().refuses(std::string("\x17\x02\x03\x00\x20", 5), FaultKind::protocol, 10);
  Sides().refuses(std::string("\x15\x03\x03\x00\x02\x01\x00", 7), FaultKind::protocol, 10);  // in the clear
  Sides().refuses(std::string("\x14\x03\x03\x00\x01\x01", 6), FaultKind::protocol, 10);
  Sides().refuses("GET / HTTP/1.1\r\n\r\n", FaultKind::protocol, 10);
  const auto refuses = [](RecordType type, std::string_view content, uint8_t alert) {
    Sides sides;
    sides.refuses(sides.record(type, content), FaultKind::protocol, alert);
  };
  refuses(handshake, two_updates, 10);
  refuses(handshake, "", 10);
  refuses(handshake, std::string_view("\x18\0\0\x02\0\0", 6), 10);
  refuses(handshake, std::string_view("\x18\0\0\x01\x02", 5), 50);
  refuses(handshake, std::string_view("\x01\0\0\x01\0", 5), 10);
  refuses(alert, "\x01", 50);
  refuses(alert, std::string_view("\x01\0\x01\0", 4), 50);
  refuses(change_cipher_spec, "\x01", 10);
  refuses(static_cast<RecordType>(99), "what", 10);
  Sides sides;  // something else in the midst of a message
  CHECK(sides.give(sides.record(handshake, update.substr(0, 3))).empty());
  sides.refuses(sides.record(data, "x"), FaultKind::protocol, 10);
  Sides old(Version::tls12);
  old.refuses(old.record(handshake, std::string_view("\x01\0\0\x01\0", 5)), FaultKind::protocol, 100);
}

TEST_CASE("tls records: alerts end a connection, unless they are harmless") {
  const auto ends_by = [](Version version, char level, char alert) {
    Sides sides(version);
    const std::array<char, 2> content = {level, alert};
    Step step = Step::done;
    CHECK(sides.give(sides.record(RecordType::alert, {content.data(), 2}) + "x", &step).empty());
    CHECK(sides.answer.empty());
    CHECK(sides.server.fault().alert == (step == Step::failed ? static_cast<uint8_t>(alert) : 0));
    return step;
  };
  for (const Version version : {Version::tls12, Version::tls13}) {
    CHECK(ends_by(version, 1, 0) == Step::closed);
    CHECK(ends_by(version, 2, 0) == Step::closed);
    CHECK(ends_by(version, 2, 40) == Step::failed);
    CHECK(ends_by(version, 1, 90) == Step::wants_input);
  }
  CHECK(ends_by(Version::tls12, 1, 100) == Step::wants_input);
  CHECK(ends_by(Version::tls13, 1, 100) == Step::failed);
}

TEST_CASE("tls records: empty records and warnings are a storm when they are many") {
  for (const RecordType type : {RecordType::data, RecordType::alert}) {
    Sides sides;
    const std::string_view content = type == RecordType::alert ? "\x01\x5a" : "";
    for (int32_t count = 0; count < IdleRecords::most; count++) {
      Step step = Step::done;
      CHECK(sides.give(sides.record(type, content), &step).empty());
      REQUIRE(step == Step::wants_input);
    }
    sides.refuses(sides.record(type, content), FaultKind::storm, 10);
  }
}

TEST_CASE("tls records: one that is padded, and one that is nothing else") {
  Sides sides;
  std::string padded = "text\x17" + std::string(100, '\0');
  // As the type of it the padding's last zero stands, which the sealing side writes itself.
  CHECK(sides.give(sides.record(static_cast<RecordType>(0), padded)) == "text");
  sides.refuses(sides.record(static_cast<RecordType>(0), std::string(50, '\0')), FaultKind::bad_record, 20);
}
