#include "report/page.h"

#include <cstddef>
#include <cstdint>

namespace breakwater::storm {

namespace {

// Colours in pairs have a contrast of at least 4.5 to their ground, in both schemes.
constexpr std::string_view style = R"css(
:root { color-scheme: light dark; --ground: #f4f6f8; --card: #ffffff; --text: #1b1f24; --quiet: #57606a;
  --line: #d8dee4; --good: #116329; --good-ground: #dafbe1; --bad: #a40e26; --bad-ground: #ffebe9;
  --c0: #0b62c4; --c1: #b3420a; --c2: #1a7f37; --c3: #8250df; --c4: #7d5600; --c5: #0d7078; --c6: #bf3989;
  --c7: #57606a; --fail: #c5221f; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #0f1419; --card: #171d24; --text: #e6edf3; --quiet: #9da7b3; --line: #303841;
    --good: #57d364; --good-ground: #12261a; --bad: #ff8f86; --bad-ground: #35181a;
    --c0: #6cb6ff; --c1: #f69d50; --c2: #57d364; --c3: #dcbdfb; --c4: #e3b341; --c5: #39c5cf; --c6: #f778ba;
    --c7: #adbac7; --fail: #ff7b72; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--text);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; }
main { max-width: 1240px; margin: 0 auto; padding: 24px 20px 48px; }
h1 { font-size: 24px; line-height: 1.25; margin: 0 0 4px; overflow-wrap: anywhere; }
h2 { font-size: 17px; margin: 36px 0 12px; }
h3 { font-size: 15px; margin: 0 0 8px; overflow-wrap: anywhere; }
p { margin: 0 0 8px; }
.quiet { color: var(--quiet); overflow-wrap: anywhere; }
.verdict { margin: 16px 0; padding: 12px 16px; border-radius: 8px; border-left: 5px solid; }
.verdict p { margin: 0; }
.verdict strong { font-size: 17px; }
.valid { background: var(--good-ground); border-color: var(--good); }
.valid strong { color: var(--good); }
.invalid { background: var(--bad-ground); border-color: var(--bad); }
.invalid strong, td.worse { color: var(--bad); }
td.better { color: var(--good); }
.same { background: var(--card); border-color: var(--quiet); }
.grid2 { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 460px), 1fr)); gap: 16px; }
figure, .card { background: var(--card); border: 1px solid var(--line); border-radius: 8px; margin: 0;
  padding: 14px 16px; min-width: 0; }
.card { margin-bottom: 16px; overflow-x: auto; }
figcaption { font-weight: 600; margin-bottom: 6px; }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: 2px 16px; margin: 0 0 4px; padding: 0;
  color: var(--quiet); font-size: 13px; }
.legend li { overflow-wrap: anywhere; }
.legend svg { margin-right: 6px; }
svg.plot { display: block; width: 100%; height: auto; }
.tick { fill: var(--quiet); font-size: 12px; }
path.grid { stroke: var(--line); fill: none; }
.curve { fill: none; stroke: currentColor; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
.dots { fill: none; stroke: currentColor; stroke-width: 5; stroke-linecap: round; }
.c0 { color: var(--c0); } .c1 { color: var(--c1); stroke-dasharray: 7 4; }
.c2 { color: var(--c2); stroke-dasharray: 2 4; }
.c3 { color: var(--c3); stroke-dasharray: 10 3 2 3; } .c4 { color: var(--c4); }
.c5 { color: var(--c5); stroke-dasharray: 7 4; }
.c6 { color: var(--c6); stroke-dasharray: 2 4; } .c7 { color: var(--c7); stroke-dasharray: 10 3 2 3; }
.c8 { color: var(--fail); } .dots { stroke-dasharray: none; }
.bar { fill: var(--c0); }
.interval { stroke: currentColor; stroke-width: 3; }
path.same { stroke: var(--quiet); stroke-dasharray: 2 3; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: 14px; }
caption { text-align: left; }
th, td { padding: 5px 12px 5px 0; text-align: right; border-top: 1px solid var(--line); white-space: nowrap; }
thead th { border-top: 0; color: var(--quiet); font-weight: 500; }
th:first-child, th.text, td.text { text-align: left; }
tbody th { font-weight: 500; }
td.text { white-space: normal; overflow-wrap: anywhere; min-width: 160px; }
.counts { display: flex; flex-wrap: wrap; gap: 2px 20px; margin: 0 0 10px; padding: 0; list-style: none;
  color: var(--quiet); font-size: 14px; }
.counts b { color: var(--text); }
@media print { body { background: none; } figure, .card { break-inside: avoid; } }
)css";

constexpr std::string_view unknown = "\xef\xbf\xbd";

// How many bytes the character at the beginning has; 0: it is no UTF-8 (RFC 3629).
size_t character_bytes(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(i < text.size() ? text[i] : '\0'); };
  const uint8_t first = byte(0);
  const auto follows = [&](size_t i, uint8_t low = 0x80, uint8_t high = 0xbf) {
    return byte(i) >= low && byte(i) <= high;
  };
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return follows(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    const bool is_second = follows(1, first == 0xe0 ? 0xa0 : 0x80, first == 0xed ? 0x9f : 0xbf);
    return is_second && follows(2) ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    const bool is_second = follows(1, first == 0xf0 ? 0x90 : 0x80, first == 0xf4 ? 0x8f : 0xbf);
    return is_second && follows(2) && follows(3) ? 4 : 0;
  }
  return 0;
}

// Those that turn the direction of what follows can make one name look like another.
bool turns_text(std::string_view character) {
  return character.size() == 3 &&
         ((character >= "\u202a" && character <= "\u202e") ||
          (character >= "\u2066" && character <= "\u2069") || character == "\u200e" || character == "\u200f");
}

bool is_shown(std::string_view character) {
  if (character.size() == 1)
    return (character[0] >= ' ' && character[0] != 0x7f) || character[0] == '\n' || character[0] == '\t';
  const bool is_c1 =
      character.size() == 2 && character[0] == '\xc2' && static_cast<uint8_t>(character[1]) < 0xa0;
  return !is_c1 && !turns_text(character);
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const size_t bytes = character_bytes(text);
    const std::string_view character = text.substr(0, bytes == 0 ? 1 : bytes);
    text.remove_prefix(character.size());
    if (bytes == 0 || !is_shown(character))
      out += unknown;
    else if (character == "&")
      out += "&amp;";
    else if (character == "<")
      out += "&lt;";
    else if (character == ">")
      out += "&gt;";
    else if (character == "\"")
      out += "&quot;";
    else if (character == "'")
      out += "&#39;";
    else
      out += character;
  }
  return out;
}

std::string page(std::string_view title, std::string_view body) {
  std::string out =
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
      "'unsafe-inline'\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n<title>";
  out += escaped(title);
  out += "</title>\n<style>";
  out += style;
  out += "</style>\n</head>\n<body>\n<main>\n";
  out += body;
  out += "</main>\n</body>\n</html>\n";
  return out;
}

}  // namespace breakwater::storm
