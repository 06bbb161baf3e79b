#include "wire/http_write.h"

#include <array>
#include <charconv>

namespace breakwater::wire {

void HeadWriter::request_line(std::string_view method, std::string_view path_query,
                              uint8_t minor_version) noexcept {
  text(method);
  text(" ");
  text(path_query);
  text(minor_version == 0 ? " HTTP/1.0\r\n" : " HTTP/1.1\r\n");
}

void HeadWriter::status_line(uint16_t status, std::string_view reason) noexcept {
  std::array<char, 5> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), status);
  text("HTTP/1.1 ");
  text({digits.data(), static_cast<size_t>(end.ptr - digits.data())});
  text(" ");
  text(reason);
  text("\r\n");
}

void HeadWriter::field(std::string_view name, std::string_view value) noexcept {
  text(name);
  text(": ");
  text(value);
  text("\r\n");
}

void HeadWriter::field(std::string_view name, uint64_t value) noexcept {
  text(name);
  text(": ");
  number(value);
  text("\r\n");
}

void HeadWriter::number(uint64_t value) noexcept {
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value);
  text({digits.data(), static_cast<size_t>(end.ptr - digits.data())});
}

std::string_view reason_phrase(uint16_t status) noexcept {
  switch (status) {
    case 200:
      return "OK";
    case 301:
      return "Moved Permanently";
    case 400:
      return "Bad Request";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 411:
      return "Length Required";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    default:
      return "Unknown";
  }
}

}  // namespace breakwater::wire
