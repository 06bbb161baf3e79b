// A second reader of HTTP/1 messages, to judge the proxy by: written from RFC 9112, 9110 and 3986 and from
// what docs/ARCHITECTURE.md and the limits promise, not from src/wire, of which nothing is included here. It
// sees all bytes of a connection at once, and takes its time.
//
// Where the RFCs leave a choice, it refuses what the proxy promises to refuse; each such choice says so.
#pragma once

#include <arpa/inet.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace strict {

enum class Verdict : uint8_t {
  whole,
  incomplete,  // the bytes end inside
  refused,     // no server may see it, or no client
};

enum class Framing : uint8_t { none, length, chunked, until_close };

struct Field {
  std::string name, value;
};

struct Limits {
  size_t head_bytes_max = 16384;
  size_t target_bytes_max = 8192;
  size_t fields_max = 128;
};
// Of the start line beside its target, in bytes with its CR.
inline constexpr size_t start_line_rest_max = 64;
inline constexpr size_t chunk_digits_max = 15;
inline constexpr size_t chunk_line_bytes_max = 256;  // digits and extensions
// Of what is kept of the trailers, with the line that is read. Not all is kept, so more of it may be refused.
inline constexpr size_t trailers_bytes_max = 1024;

struct Message {
  Verdict head = Verdict::incomplete;
  Verdict body = Verdict::incomplete;
  size_t begin = 0, head_end = 0, end = 0;  // of its bytes; `end` if both are whole
  std::string start_line;
  std::vector<Field> fields;
  uint8_t minor_version = 1;
  Framing framing = Framing::none;
  uint64_t length = 0;
  std::string payload;          // as much of it as there is
  bool last = false;            // nothing on this connection belongs to another message
  bool may_be_refused = false;  // although it is sound
  // Of a request:
  std::string method, target, path_query, authority;
  bool upgrade = false;
  bool expects_continue = false;
  // Of a response:
  unsigned status = 0;
  std::string reason;

  bool is_whole() const { return head == Verdict::whole && body == Verdict::whole; }
  const std::string* find(std::string_view name) const;
  size_t count(std::string_view name) const;
};

// ---- words of the grammar (RFC 9110 §5.6, RFC 5234 B.1)

inline bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
inline bool is_alpha(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
inline int hex_of(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}
inline bool is_tchar(char c) {
  switch (c) {
    case '!':
    case '#':
    case '$':
    case '%':
    case '&':
    case '\'':
    case '*':
    case '+':
    case '-':
    case '.':
    case '^':
    case '_':
    case '`':
    case '|':
    case '~':
      return true;
    default:
      return is_digit(c) || is_alpha(c);
  }
}
inline bool is_token(std::string_view text) {
  for (const char c : text) {
    if (!is_tchar(c)) return false;
  }
  return !text.empty();
}
inline bool is_vchar(char c) {
  return c > 0x20 && c < 0x7f;
}
// field-content, with SP and HTAB inside, and obs-text (RFC 9110 §5.5).
inline bool is_content(std::string_view text) {
  for (const char c : text) {
    const bool obs_text = static_cast<unsigned char>(c) >= 0x80;
    if (!is_vchar(c) && !obs_text && c != ' ' && c != '\t') return false;
  }
  return true;
}
inline std::string lower(std::string_view text) {
  std::string out;
  for (const char c : text) out += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return out;
}
inline bool same(std::string_view a, std::string_view b) {
  return a.size() == b.size() && lower(a) == lower(b);
}
inline std::string_view without_ows(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}
inline std::vector<std::string> members(std::string_view list) {  // #element, empty ones are no members
  std::vector<std::string> found;
  std::string one;
  for (size_t at = 0; at <= list.size(); at++) {
    if (at < list.size() && list[at] != ',') {
      one += list[at];
      continue;
    }
    const std::string_view member = without_ows(one);
    if (!member.empty()) found.emplace_back(member);
    one.clear();
  }
  return found;
}

inline const std::string* Message::find(std::string_view name) const {
  for (const Field& field : fields) {
    if (same(field.name, name)) return &field.value;
  }
  return nullptr;
}
inline size_t Message::count(std::string_view name) const {
  size_t found = 0;
  for (const Field& field : fields) found += same(field.name, name);
  return found;
}
inline bool has_member(const Message& message, std::string_view name, std::string_view member) {
  for (const Field& field : message.fields) {
    if (!same(field.name, name)) continue;
    for (const std::string& one : members(field.value)) {
      if (same(one, member)) return true;
    }
  }
  return false;
}

// A Host or the authority of a target: uri-host [ ":" port ], never empty here (RFC 9110 §7.2, RFC 3986
// §3.2.2). A port has at most five digits: there is no port of more.
inline bool is_authority(std::string_view text) {
  if (text.size() > 1024) return false;
  std::string_view port;
  if (!text.empty() && text.front() == '[') {
    const size_t close = text.find(']');
    if (close == std::string_view::npos) return false;
    const std::string literal(text.substr(1, close - 1));
    in6_addr ignored;
    // No IPvFuture, of which there is none, and no zone, which has no place in HTTP (RFC 9110 §4.2).
    if (inet_pton(AF_INET6, literal.c_str(), &ignored) != 1) return false;
    port = text.substr(close + 1);
  } else {
    size_t at = 0;
    while (at < text.size() && text[at] != ':') {
      if (text[at] == '%') {
        if (text.size() - at < 3 || hex_of(text[at + 1]) < 0 || hex_of(text[at + 2]) < 0) return false;
        at += 3;
        continue;
      }
      // unreserved and sub-delims
      const bool mark = std::string_view("-._~!$&'()*+,;=").find(text[at]) != std::string_view::npos;
      if (!is_alpha(text[at]) && !is_digit(text[at]) && !mark) return false;
      at++;
    }
    if (at == 0) return false;
    port = text.substr(at);
  }
  if (port.empty()) return true;
  if (port.front() != ':' || port.size() > 6) return false;
  for (const char c : port.substr(1)) {
    if (!is_digit(c)) return false;
  }
  return true;
}

// Names that a CGI server can't tell from ones that decide about framing: refused by promise.
inline bool is_disguised(std::string_view name) {
  if (name.find('_') == std::string_view::npos) return false;
  std::string plain = lower(name);
  for (char& c : plain) c = c == '_' ? '-' : c;
  return plain == "content-length" || plain == "transfer-encoding" || plain == "host" ||
         plain == "connection" || plain == "expect" || plain == "upgrade";
}

// ---- heads

// One line with its CRLF taken off `rest`. `whole` as long as there is one; a CR or LF by itself is refused.
inline Verdict take_line(std::string_view bytes, size_t& at, std::string_view& line) {
  const size_t begin = at;
  for (; at < bytes.size(); at++) {
    if (bytes[at] == '\n') return Verdict::refused;
    if (bytes[at] != '\r') continue;
    if (at + 1 == bytes.size()) return Verdict::incomplete;
    if (bytes[at + 1] != '\n') return Verdict::refused;
    line = bytes.substr(begin, at - begin);
    at += 2;
    return Verdict::whole;
  }
  return Verdict::incomplete;
}

inline bool take_field(std::string_view line, const Limits& limits, Message& message) {
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return false;
  const std::string_view name = line.substr(0, colon);  // obs-fold and a space before the colon are no token
  const std::string_view value = without_ows(line.substr(colon + 1));
  if (!is_token(name) || !is_content(value) || is_disguised(name)) return false;
  // By promise: no tab behind a length, for llhttp, among others, wants none.
  if (same(name, "content-length") &&
      line.substr(line.find_last_not_of(" \t") + 1).find('\t') != std::string_view::npos)
    return false;
  message.fields.push_back({std::string(name), std::string(value)});
  return message.fields.size() <= limits.fields_max;
}

// RFC 9112 §6.1 to §6.3, where a message with both, or with several, is refused.
inline bool take_framing(Message& message, bool& has_length, bool& chunked) {
  has_length = chunked = false;
  for (const Field& field : message.fields) {
    if (same(field.name, "content-length")) {
      if (has_length || field.value.empty() || field.value.size() > 19) return false;
      has_length = true;
      for (const char c : field.value) {
        if (!is_digit(c)) return false;
        message.length = message.length * 10 + static_cast<uint64_t>(c - '0');
      }
    } else if (same(field.name, "transfer-encoding")) {
      if (chunked || !same(field.value, "chunked")) return false;
      chunked = true;
    }
  }
  return !has_length || !chunked;
}

inline bool persists(const Message& message) {  // RFC 9112 §9.3
  if (has_member(message, "connection", "close")) return false;
  return message.minor_version == 1 || has_member(message, "connection", "keep-alive");
}

inline bool take_request_line(std::string_view line, const Limits& limits, Message& message) {
  const size_t first = line.find(' ');
  const size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return false;
  message.method = line.substr(0, first);
  message.target = line.substr(first + 1, last - first - 1);
  const std::string_view version = line.substr(last + 1);
  if (!is_token(message.method)) return false;
  if (message.method == "CONNECT" || message.method == "TRACE") return false;  // not for a proxy of Git
  if (version != "HTTP/1.0" && version != "HTTP/1.1") return false;
  message.minor_version = version.back() == '1' ? 1 : 0;
  if (message.target.empty() || message.target.size() > limits.target_bytes_max) return false;
  if (line.size() + 1 > limits.target_bytes_max + start_line_rest_max) return false;
  // Any visible ASCII, for names of repositories are sent in many ways; but no fragment (RFC 9112 §3.2).
  for (const char c : message.target) {
    if (!is_vchar(c) || c == '#') return false;
  }
  if (message.target == "*") {
    message.path_query = "*";
    return message.method == "OPTIONS";
  }
  if (message.target.front() == '/') {
    message.path_query = message.target;
    return true;
  }
  // absolute-form of http (RFC 9112 §3.2.2)
  if (!same(message.target.substr(0, 7), "http://")) return false;
  const std::string rest = message.target.substr(7);
  const size_t path = rest.find_first_of("/?");
  message.authority = rest.substr(0, path);
  // OPTIONS without a path is for the server (RFC 9112 §3.2.4).
  const std::string none = message.method == "OPTIONS" ? "*" : "/";
  message.path_query = path == std::string::npos ? none : rest.substr(path);
  return is_authority(message.authority) && message.path_query.front() != '?';
}

inline bool take_status_line(std::string_view line, Message& message) {
  // A server may leave out the space behind its status, as many do where there is no reason phrase.
  if (line.size() < 12 || line.substr(0, 7) != "HTTP/1." || (line[7] != '0' && line[7] != '1') ||
      line[8] != ' ')
    return false;
  message.minor_version = line[7] == '1' ? 1 : 0;
  for (const char c : line.substr(9, 3)) {
    if (!is_digit(c)) return false;
    message.status = message.status * 10 + static_cast<unsigned>(c - '0');
  }
  if (message.status < 100 || message.status > 599) return false;
  if (line.size() > 12 && line[12] != ' ') return false;
  message.reason = line.substr(std::min<size_t>(line.size(), 13));
  return is_content(message.reason);
}

// The head's bytes after an empty line that may be forgiven; `take_start` reads the first line.
template <typename TakeStart>
Verdict take_head(std::string_view bytes, size_t at, const Limits& limits, Message& message,
                  TakeStart take_start) {
  message.begin = at;
  bool sound = true;
  std::string_view line;
  for (bool first = true;; first = false) {
    const Verdict got = take_line(bytes, at, line);
    // A head that is too large is refused before its end is there.
    if ((got == Verdict::incomplete ? bytes.size() : at) - message.begin > limits.head_bytes_max)
      return Verdict::refused;
    if (got != Verdict::whole) return sound ? got : Verdict::refused;
    if (first) {
      message.start_line = line;
      sound = take_start(line);
      continue;
    }
    if (line.empty()) break;
    sound = take_field(line, limits, message) && sound;
  }
  message.head_end = at;
  return sound ? Verdict::whole : Verdict::refused;
}

// ---- bodies

// RFC 9112 §7.1. The last chunk may have several zeros; extensions may hold what a field may.
inline Verdict take_chunked(std::string_view bytes, size_t& at, Message& message) {
  for (;;) {
    uint64_t size = 0;
    size_t digits = 0;
    for (; at < bytes.size() && hex_of(bytes[at]) >= 0; at++) {
      if (++digits > chunk_digits_max) return Verdict::refused;
      size = size * 16 + static_cast<uint64_t>(hex_of(bytes[at]));
    }
    if (at == bytes.size()) return Verdict::incomplete;
    if (digits == 0) return Verdict::refused;
    if (bytes[at] == ';') {
      const size_t begin = at + 1;
      for (at = begin; at < bytes.size() && bytes[at] != '\r'; at++) {
        if (!is_content(bytes.substr(at, 1)) || digits + (at - begin + 1) > chunk_line_bytes_max)
          return Verdict::refused;
      }
      if (at == bytes.size()) return Verdict::incomplete;
    }
    if (bytes[at] != '\r') return Verdict::refused;
    if (++at == bytes.size()) return Verdict::incomplete;
    if (bytes[at++] != '\n') return Verdict::refused;
    if (size == 0) break;
    const size_t here = static_cast<size_t>(std::min<uint64_t>(size, bytes.size() - at));
    message.payload += bytes.substr(at, here);
    at += here;
    if (here < size) return Verdict::incomplete;
    for (const char expected : std::string_view("\r\n")) {
      if (at == bytes.size()) return Verdict::incomplete;
      if (bytes[at++] != expected) return Verdict::refused;
    }
  }
  const size_t begin = at;
  for (;;) {
    std::string_view line;
    const Verdict got = take_line(bytes, at, line);
    message.may_be_refused = at - begin > trailers_bytes_max;
    if (got != Verdict::whole || line.empty()) return got;
    Message trailer;
    if (!take_field(line, {}, trailer)) return Verdict::refused;
  }
}

inline Verdict take_body(std::string_view bytes, bool ended, Message& message) {
  size_t at = message.head_end;
  Verdict verdict = Verdict::whole;
  switch (message.framing) {
    case Framing::none:
      break;
    case Framing::length: {
      const size_t here = static_cast<size_t>(std::min<uint64_t>(message.length, bytes.size() - at));
      message.payload = bytes.substr(at, here);
      at += here;
      verdict = here == message.length ? Verdict::whole : Verdict::incomplete;
      break;
    }
    case Framing::chunked:
      verdict = take_chunked(bytes, at, message);
      break;
    case Framing::until_close:
      message.payload = bytes.substr(at);
      at = bytes.size();
      verdict = ended ? Verdict::whole : Verdict::incomplete;
      break;
  }
  message.end = at;
  return verdict;
}

// ---- messages

// The request that begins at `at`.
inline Message read_request(std::string_view bytes, size_t at, const Limits& limits) {
  Message message;
  // One empty line before it is forgiven (RFC 9112 §2.2 says at least one).
  if (bytes.substr(at, 2) == "\r\n") at += 2;
  message.head = take_head(bytes, at, limits, message,
                           [&](std::string_view line) { return take_request_line(line, limits, message); });
  if (message.head != Verdict::whole) return message;
  message.head = Verdict::refused;
  const size_t hosts = message.count("host");
  if (hosts > 1 || (hosts == 0 && message.minor_version == 1)) return message;
  if (hosts == 1 && !is_authority(*message.find("host"))) return message;
  if (message.authority.empty() && hosts == 1) message.authority = *message.find("host");
  bool has_length = false, chunked = false;
  if (!take_framing(message, has_length, chunked)) return message;
  if (chunked && message.minor_version == 0) return message;  // RFC 9112 §6.1
  message.head = Verdict::whole;
  message.framing = chunked                            ? Framing::chunked
                    : has_length && message.length > 0 ? Framing::length
                                                       : Framing::none;
  message.last = !persists(message);
  message.expects_continue = message.minor_version == 1 && has_member(message, "expect", "100-continue");
  // RFC 6455 §4.1; no other protocol is passed through.
  const bool websocket = std::any_of(message.fields.begin(), message.fields.end(), [](const Field& field) {
    return same(field.name, "upgrade") && same(field.value, "websocket");
  });
  message.upgrade = message.method == "GET" && message.minor_version == 1 &&
                    message.framing == Framing::none && websocket &&
                    has_member(message, "connection", "upgrade");
  message.body = take_body(bytes, false, message);
  return message;
}

// The response that begins at `at`, to a request with this method. `ended`: the connection did, in good
// order, behind the last of these bytes.
inline Message read_response(std::string_view bytes, size_t at, std::string_view method, bool upgrade,
                             bool ended, const Limits& limits) {
  Message message;
  message.head = take_head(bytes, at, limits, message,
                           [&](std::string_view line) { return take_status_line(line, message); });
  if (message.head != Verdict::whole) return message;
  message.head = Verdict::refused;
  bool has_length = false, chunked = false;
  if (!take_framing(message, has_length, chunked)) return message;
  const bool interim = message.status < 200;
  // RFC 9112 §6.1: neither with 1xx nor 204, nor from HTTP/1.0.
  if (chunked && (interim || message.status == 204 || message.minor_version == 0)) return message;
  if (message.status == 101 && !upgrade) return message;
  message.head = Verdict::whole;
  if (interim || message.status == 204 || message.status == 304 || method == "HEAD") {
    message.framing = Framing::none;
  } else if (chunked) {
    message.framing = Framing::chunked;
  } else if (has_length) {
    message.framing = message.length > 0 ? Framing::length : Framing::none;
  } else {
    message.framing = Framing::until_close;
  }
  message.last = message.framing == Framing::until_close || (!interim && !persists(message));
  message.body = take_body(bytes, ended, message);
  return message;
}

// All requests of a connection, until one is the last, is not whole, or hands the connection over (`tunnel`).
struct Requests {
  std::vector<Message> messages;  // whole, but for the last, whose head at least is whole
  Verdict end = Verdict::whole;   // of what follows: `whole` if nothing does
  size_t used = 0;                // bytes
};
inline Requests read_requests(std::string_view bytes, const Limits& limits, size_t from = 0) {
  Requests found;
  found.used = from;
  while (found.used < bytes.size()) {
    Message message = read_request(bytes, found.used, limits);
    if (message.head != Verdict::whole) {
      found.end = message.head;
      return found;
    }
    const bool goes_on = message.is_whole() && !message.last;
    if (message.is_whole()) found.used = message.end;
    found.messages.push_back(std::move(message));
    if (!goes_on) {
      found.end = found.messages.back().body;
      return found;
    }
  }
  return found;
}

}  // namespace strict
