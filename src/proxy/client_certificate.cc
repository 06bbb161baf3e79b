#include "proxy/client_certificate.h"

namespace breakwater::proxy {

namespace {

std::string element(std::string_view key, std::string_view value) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string text(key);
  text += "=\"";
  for (const char byte : value) {
    const auto number = static_cast<unsigned char>(byte);
    const bool is_plain = number >= 0x20 && number < 0x7f && byte != '"' && byte != '\\' && byte != '%';
    if (is_plain) {
      text += byte;
      continue;
    }
    text += '%';
    text += digits[number >> 4];
    text += digits[number & 15];
  }
  return text += '"';
}

}  // namespace

std::string client_certificate_value(const tls::Certificate& certificate) {
  std::string all;
  const auto add = [&all](std::string_view key, std::string_view value) {
    const std::string text = element(key, value);
    if (all.size() + 1 + text.size() > client_certificate_bytes_max) return;
    if (!all.empty()) all += ';';
    all += text;
  };
  add("Subject", certificate.subject);
  add("Serial", certificate.serial);
  for (const std::string& uri : certificate.uris) add("URI", uri);
  for (const std::string& name : certificate.dns_names) add("DNS", name);
  for (const std::string& mailbox : certificate.mailboxes) add("Email", mailbox);
  return all;
}

}  // namespace breakwater::proxy
