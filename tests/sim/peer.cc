#include "sim/peer.h"

#include <algorithm>
#include <cerrno>
#include <charconv>

#include "sim/verdict.h"

namespace breakwater::sim {

namespace {

// Until the readiness of `end` may have changed, or the deadline.
struct Change {
  Kernel& kernel;
  End& end;
  int64_t deadline_ns;
  size_t side;  // 0: reads, 1: sends
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> who) const {
    end.waiters[side] = who;
    end.deadlines_ns[side] = deadline_ns;
    if (end.alarms_ns[side] == 0 || end.alarms_ns[side] > deadline_ns) set_alarm(kernel, end, side);
  }
  // One event stands for all the waits of a side that begin before it: deadlines mostly move on.
  static void set_alarm(Kernel& kernel, End& end, size_t side) {
    const int64_t when_ns = end.alarms_ns[side] = end.deadlines_ns[side];
    kernel.at(when_ns, [&kernel, &end, side, when_ns] {
      if (end.alarms_ns[side] != when_ns) return;
      end.alarms_ns[side] = 0;
      if (!end.waiters[side]) return;
      if (end.deadlines_ns[side] > when_ns) return set_alarm(kernel, end, side);
      std::exchange(end.waiters[side], nullptr).resume();
    });
  }
  void await_resume() const noexcept {}
};

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return out;
}

}  // namespace

Task<Got> Peer::fill(int64_t deadline_ns) {
  char room[16384];
  for (;;) {
    const int64_t got = kernel_.receive(*end_, room, sizeof room);
    if (got > 0) {
      inbox.append(room, static_cast<size_t>(got));
      co_return Got::bytes;
    }
    if (got == 0) co_return end_->reset ? Got::reset : Got::end;
    if (got != -EAGAIN) co_return Got::reset;
    if (kernel_.now_ns() >= deadline_ns) co_return Got::late;
    const Change change{kernel_, *end_, deadline_ns, 0};
    co_await change;
  }
}

Task<bool> Peer::send(std::string_view bytes, size_t piece, int64_t deadline_ns) {
  while (!bytes.empty()) {
    const size_t most = piece == 0 ? bytes.size() : std::min(piece, bytes.size());
    const int64_t sent = kernel_.send(*end_, bytes.data(), most);
    if (sent > 0) {
      bytes.remove_prefix(static_cast<size_t>(sent));
      if (piece != 0 && !bytes.empty()) {
        const Sleep pause{kernel_, static_cast<int64_t>(kernel_.below(60'000))};
        co_await pause;
      }
      continue;
    }
    if (sent != -EAGAIN || kernel_.now_ns() >= deadline_ns) co_return false;
    const Change change{kernel_, *end_, deadline_ns, 1};
    co_await change;
  }
  co_return true;
}

const std::string* Head::find(std::string_view name) const noexcept {
  for (const auto& [key, value] : fields) {
    if (key == name) return &value;
  }
  return nullptr;
}

Task<Got> read_head(Peer& peer, Head& head, int64_t deadline_ns) {
  head = {};
  size_t end = std::string::npos;
  while ((end = peer.inbox.find("\r\n\r\n")) == std::string::npos) {
    const Got got = co_await peer.fill(deadline_ns);
    if (got != Got::bytes) co_return got;
  }
  head.raw = peer.inbox.substr(0, end + 4);
  peer.inbox.erase(0, end + 4);
  size_t at = 0;
  while (at < end) {
    const size_t line_end = head.raw.find("\r\n", at);
    const std::string_view line(head.raw.data() + at, line_end - at);
    at = line_end + 2;
    if (head.start_line.empty()) {
      head.start_line = line;
      continue;
    }
    const size_t colon = line.find(": ");
    if (colon == std::string_view::npos)
      violation("the proxy wrote a field line without a colon: " + std::string(line));
    head.fields.emplace_back(lower(line.substr(0, colon)), std::string(line.substr(colon + 2)));
  }
  co_return Got::bytes;
}

bool framing_of(const Head& head, Framing& framing, uint64_t& length) {
  framing = Framing::none;
  length = 0;
  unsigned seen = 0;
  for (const auto& [name, value] : head.fields) {
    if (name == "content-length") {
      seen++;
      framing = Framing::length;
      if (std::from_chars(value.data(), value.data() + value.size(), length).ptr !=
          value.data() + value.size())
        return false;
    } else if (name == "transfer-encoding") {
      seen++;
      framing = Framing::chunked;
      if (value != "chunked") return false;
    }
  }
  return seen <= 1;
}

Task<BodyEnd> read_body(Peer& peer, Framing framing, uint64_t length, std::string& body, int64_t patience_ns,
                        int64_t pause_ns) {
  Kernel& kernel = peer.kernel();
  uint64_t left = framing == Framing::length ? length : 0;
  bool in_chunk = false, in_trailers = false;
  for (;;) {
    // Take what is there.
    if (framing == Framing::none || (framing == Framing::length && left == 0)) co_return BodyEnd::whole;
    if (framing == Framing::length || framing == Framing::until_close || (in_chunk && left > 0)) {
      const size_t taken =
          framing == Framing::until_close ? peer.inbox.size() : std::min<uint64_t>(left, peer.inbox.size());
      body.append(peer.inbox, 0, taken);
      peer.inbox.erase(0, taken);
      if (framing != Framing::until_close) left -= taken;
      if (framing == Framing::length && left == 0) co_return BodyEnd::whole;
    }
    if (framing == Framing::chunked && !(in_chunk && left > 0)) {
      const size_t line_end = peer.inbox.find("\r\n");
      if (line_end != std::string::npos) {
        const std::string line = peer.inbox.substr(0, line_end);
        peer.inbox.erase(0, line_end + 2);
        if (in_chunk) {
          if (!line.empty()) co_return BodyEnd::malformed;
          in_chunk = false;
        } else if (in_trailers) {
          if (line.empty()) co_return BodyEnd::whole;
        } else {
          const auto parsed = std::from_chars(line.data(), line.data() + line.size(), left, 16);
          const bool ends_well = parsed.ptr == line.data() + line.size() || *parsed.ptr == ';';
          if (parsed.ec != std::errc() || !ends_well) co_return BodyEnd::malformed;
          in_chunk = left > 0;
          in_trailers = left == 0;
        }
        continue;
      }
    }
    if (in_chunk && left > 0 && !peer.inbox.empty()) continue;
    if (pause_ns > 0) {
      const Sleep pause{kernel, pause_ns};
      co_await pause;
    }
    const Got got = co_await peer.fill(kernel.now_ns() + patience_ns);
    if (got == Got::late) co_return BodyEnd::late;
    if (got == Got::end && framing == Framing::until_close) co_return BodyEnd::whole;
    if (got != Got::bytes) co_return BodyEnd::cut;
  }
}

std::string in_chunks(std::string_view body, size_t chunk, bool upper_case, bool extension, bool trailer) {
  std::string out;
  out.reserve(body.size() + body.size() / 100 + 64);
  char size[24];
  while (!body.empty()) {
    const size_t bytes = std::min(chunk, body.size());
    std::snprintf(size, sizeof size, upper_case ? "%zX" : "%zx", bytes);
    out += size;
    if (extension) out += ";name=\"value\"";
    out += "\r\n";
    out += body.substr(0, bytes);
    out += "\r\n";
    body.remove_prefix(bytes);
  }
  out += trailer ? "0\r\nX-Sim-Trailer: there\r\n\r\n" : "0\r\n\r\n";
  return out;
}

}  // namespace breakwater::sim
