// Text in the form of OpenMetrics: families one behind the other, each with all of its samples.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace breakwater::app {

class MetricsText {
 public:
  using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

  void counter(std::string_view name, std::string_view help, uint64_t value) {
    family(name, "counter", help);
    sample(name, "_total", {}, value);
  }
  void gauge(std::string_view name, std::string_view help, uint64_t value) {
    family(name, "gauge", help);
    sample(name, "", {}, value);
  }
  void family(std::string_view name, std::string_view type, std::string_view help) {
    text_ += fmt::format("# HELP breakwater_{0} {2}\n# TYPE breakwater_{0} {1}\n", name, type, help);
  }
  template <typename Value>
  void sample(std::string_view name, std::string_view suffix, Labels labels, Value value) {
    text_ += fmt::format("breakwater_{}{}", name, suffix);
    char before = '{';
    for (const auto& [label, text] : labels) {
      text_ += fmt::format("{}{}=\"", before, label);
      escape(text);
      text_ += '"';
      before = ',';
    }
    text_ += fmt::format("{} {}\n", labels.size() == 0 ? "" : "}", value);
  }
  std::string take() { return std::move(text_ += "# EOF\n"); }

 private:
  void escape(std::string_view text) {
    for (const char byte : text) {
      if (byte == '\\' || byte == '"') text_ += '\\';
      if (byte == '\n')
        text_ += "\\n";
      else
        text_ += byte;
    }
  }
  std::string text_;
};

}  // namespace breakwater::app
