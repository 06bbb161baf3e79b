#include "client/git_words.h"

#include <charconv>

namespace breakwater::storm {

namespace {

// The first that is found counts: what stands above explains what stands below.
struct Sign {
  std::string_view words;
  Failure failure;
};
constexpr Sign signs[] = {
    {"fatal: remote error: ", Failure::error},
    {"The requested URL returned error: ", Failure::status},
    {"Authentication failed for ", Failure::status},
    {" not found", Failure::status},
    {"could not read Username", Failure::status},
    {"Operation too slow", Failure::stalled},
    {"SSL", Failure::tls},
    {"TLS", Failure::tls},
    {"certificate", Failure::tls},
    {"Failed to connect to ", Failure::connect},
    {"Could not resolve host", Failure::connect},
    {"Couldn't connect", Failure::connect},
    {"inflate", Failure::corrupt},
    {"pack is corrupted", Failure::corrupt},
    {"bad pack header", Failure::corrupt},
    {"pack has ", Failure::corrupt},
    {"did not receive expected object", Failure::corrupt},
    {"bytes of body are still expected", Failure::truncated},
    {"unexpected disconnect", Failure::truncated},
    {"transfer closed with", Failure::truncated},
    {"the remote end hung up", Failure::truncated},
    {"remote: ", Failure::sideband},  // with nothing of what stands above: it is what made git give up
    {"early EOF", Failure::truncated},
    {"Empty reply from server", Failure::http},
    {"RPC failed", Failure::http},
    {"Recv failure", Failure::http},
};

uint16_t number_behind(std::string_view text, std::string_view words) {
  const size_t at = text.find(words);
  uint16_t number = 0;
  if (at == std::string_view::npos) return number;
  text.remove_prefix(at + words.size());
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

std::string_view line_around(std::string_view text, size_t at) {
  const size_t begin = text.rfind('\n', at);
  text.remove_prefix(begin == std::string_view::npos ? 0 : begin + 1);
  return text.substr(0, text.find('\n'));
}

}  // namespace

GitComplaint read_git_complaint(std::string_view text) {
  while (text.ends_with('\n')) text.remove_suffix(1);
  GitComplaint complaint;
  complaint.words = line_around(text, text.size());
  for (const Sign& sign : signs) {
    const size_t at = text.find(sign.words);
    if (at == std::string_view::npos) continue;
    complaint.failure = sign.failure;
    complaint.words = line_around(text, at);
    break;
  }
  if (complaint.failure == Failure::status)
    complaint.status = number_behind(text, "The requested URL returned error: ");
  return complaint;
}

}  // namespace breakwater::storm
