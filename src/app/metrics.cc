#include "app/metrics.h"

#include <fmt/format.h>

#include <iterator>

namespace breakwater::app {

void MetricsText::metric(std::string_view name, std::string_view type, std::string_view suffix,
                         std::string_view help, uint64_t value) {
  fmt::format_to(std::back_inserter(text_), "# HELP {0} {1}\n# TYPE {0} {2}\n{0}{3} {4}\n", name, help, type,
                 suffix, value);
}

}  // namespace breakwater::app
