#include "origin/head.h"

#include <array>
#include <ctime>

#include "base/second.h"
#include "wire/http_write.h"

namespace breakwater::storm::origin {

namespace {

void append_field(std::string& head, std::string_view name, std::string_view value) {
  head.append(name).append(": ").append(value).append("\r\n");
}

void append_framing(std::string& head, const BodyHead& body) {
  if (body.is_chunked) append_field(head, "Transfer-Encoding", "chunked");
  if (body.length) append_field(head, "Content-Length", std::to_string(*body.length));
}

}  // namespace

std::string head_of(const Reply& reply, const BodyHead& body, Framing framing, std::string_view date) {
  std::string head = "HTTP/1.1 " + std::to_string(reply.status) + " ";
  head.append(wire::reason_phrase(reply.status)).append("\r\n");
  const auto append_type = [&] {
    if (!reply.type.empty()) append_field(head, "Content-Type", reply.type);
  };
  switch (framing) {
    case Framing::apache:
      append_field(head, "Date", date);
      append_field(head, "Server", "Apache/2.4.66 (Debian)");
      head += reply.fields;
      if (!body.keep_alive) append_field(head, "Connection", "close");
      append_framing(head, body);
      append_type();
      break;
    case Framing::nginx:
      append_field(head, "Server", "nginx/1.22.1");
      append_field(head, "Date", date);
      append_type();
      append_framing(head, body);
      append_field(head, "Connection", body.keep_alive ? "keep-alive" : "close");
      head += reply.fields;
      break;
    case Framing::go:
      head += reply.fields;
      append_type();
      append_field(head, "Date", date);
      append_framing(head, body);
      if (!body.keep_alive) append_field(head, "Connection", "close");
      break;
  }
  return head + "\r\n";
}

std::string_view HttpDate::at(int64_t realtime_ns) {
  const int64_t second = realtime_ns / second_ns;
  if (second == second_) return text_;
  second_ = second;
  const std::time_t time = second;
  std::tm utc{};
  gmtime_r(&time, &utc);
  std::array<char, 64> text;
  const size_t bytes = std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &utc);
  text_.assign(text.data(), bytes);
  return text_;
}

}  // namespace breakwater::storm::origin
