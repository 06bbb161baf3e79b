// Records, by a client that has the keys and sends what it likes: data, messages and alerts of its making,
// bytes that nobody sealed; in any pieces, to any room. What comes out is the data that was sealed, or the
// beginning of it; a failure is one for good; and what is answered can be opened by who has the keys.
#include <algorithm>
#include <span>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "tls/records.h"

using namespace breakwater::tls;

namespace {

class Script {
 public:
  explicit Script(std::span<const uint8_t> bytes) : bytes_(bytes) {}
  bool ended() const { return bytes_.empty(); }
  uint8_t next() {
    if (bytes_.empty()) return 0;
    const uint8_t value = bytes_[0];
    bytes_ = bytes_.subspan(1);
    return value;
  }
  std::string text(size_t most) {
    const size_t bytes = std::min(most, bytes_.size());
    const std::string text(reinterpret_cast<const char*>(bytes_.data()), bytes);
    bytes_ = bytes_.subspan(bytes);
    return text;
  }

 private:
  std::span<const uint8_t> bytes_;
};

void fill(TrafficKey& key, uint8_t suite, uint8_t seed) {
  const bool is_aes = (suite & 2) == 0;
  key.version = (suite & 1) != 0 ? Version::tls12 : Version::tls13;
  key.cipher = is_aes ? Cipher::aes_gcm : Cipher::chacha20_poly1305;
  key.key.fill(seed);
  key.key_bytes = is_aes && (suite & 4) == 0 ? 16 : 32;
  key.nonce_bytes = key.version == Version::tls12 && is_aes ? 4 : 12;
  key.secret.fill(seed);
  key.secret_bytes = key.version == Version::tls12 ? 0 : 32;
}

struct Client {
  RecordKey sealing, opening;
  std::string records;  // on their way
  std::string data;     // that was sealed
  bool is_good = true;  // up to here nothing was sent that must be refused

  void send(RecordType type, std::string_view content) {
    std::string out(content.size() + RecordKey::overhead_max, '\0');
    const size_t bytes = sealing.seal(type, content, out.data());
    records.append(out, 0, bytes);
  }
  void step(Script& script) {
    constexpr std::string_view update("\x18\0\0\x01\x01", 5);
    const bool is_tls13 = sealing.traffic_key().version == Version::tls13;
    switch (script.next() % 4) {
      case 0: {
        const std::string content(size_t{script.next()} * 65 % (RecordKey::content_bytes_max + 1), 'd');
        send(RecordType::data, content);
        if (is_good) data += content;
        break;
      }
      case 1:
        send(RecordType::handshake, update);
        is_good = is_good && is_tls13;
        if (is_tls13) BW_ASSERT(sealing.update());
        break;
      case 2: {
        const auto type = static_cast<RecordType>(script.next());
        send(type, script.text(script.next()));
        is_good = false;  // or so it seems
        break;
      }
      default:
        records += script.text(script.next());
        is_good = false;
    }
  }
  // What the server says is of its keys.
  void hear(std::string& answers) {
    while (answers.size() >= RecordKey::head_bytes) {
      auto type = static_cast<RecordType>(answers[0]);
      const size_t bytes = size_t{static_cast<uint8_t>(answers[3])} << 8 | static_cast<uint8_t>(answers[4]);
      std::span<char> content(answers.data() + RecordKey::head_bytes, bytes);
      BW_ASSERT(opening.open(type, content));
      BW_ASSERT(type == RecordType::handshake || type == RecordType::alert);
      if (type == RecordType::handshake) BW_ASSERT(opening.update());
      answers.erase(0, RecordKey::head_bytes + bytes);
    }
    BW_ASSERT(answers.empty());
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  Script script({bytes, size});
  const uint8_t suite = script.next();
  size_t piece = size_t{script.next()} * 64 + 1;
  size_t room = size_t{script.next()} * 64 + 1;
  Records server;
  Client client;
  fill(server.receiving.traffic_key(), suite, 1);
  fill(client.sealing.traffic_key(), suite, 1);
  fill(server.sending.traffic_key(), suite, 2);
  fill(client.opening.traffic_key(), suite, 2);
  BW_ASSERT(server.start() && client.sealing.set() && client.opening.set());
  for (int steps = 0; steps < 40 && !script.ended(); steps++) client.step(script);
  // Some thousand steps tell as much as some hundred thousand.
  piece = std::max(piece, client.records.size() / 4096);
  room = std::max(room, client.records.size() / 4096);

  std::string opened, place(room, '\0'), answers(4096, '\0'), said;
  Step step = Step::wants_input;
  std::string_view coming = client.records;
  while (!coming.empty() && step != Step::failed && step != Step::closed) {
    std::string arrived(coming.substr(0, piece));
    coming.remove_prefix(arrived.size());
    std::span<char> in(arrived);
    do {
      std::span<char> data(place), out(answers);
      step = server.open(in, data, out);
      opened.append(place, 0, place.size() - data.size());
      said.append(answers, 0, answers.size() - out.size());
    } while (step == Step::wants_room);
    BW_ASSERT(step != Step::wants_input || in.empty());
    BW_ASSERT((step == Step::failed) == static_cast<bool>(server.fault()));
  }
  client.hear(said);
  if (client.is_good && step != Step::failed) BW_ASSERT(opened == client.data);
  if (client.is_good && step == Step::failed) BW_ASSERT(server.fault().kind == FaultKind::storm);
  BW_ASSERT(opened.starts_with(client.data) || client.data.starts_with(opened));
  return 0;
}
