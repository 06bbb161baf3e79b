// The reader of the proxy's configuration: single values as ValueReader reads them, and the draft that they
// fill in.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/draft.h"
#include "config/schema.h"
#include "config/value_reader.h"

namespace breakwater::config {

// For a key in a table that doesn't have it: the table that does. Empty if none has.
std::string_view table_with_key(std::string_view name);

class Reader : public ValueReader {
 public:
  // `a_draft` outlives it.
  explicit Reader(Draft& a_draft) : ValueReader(a_draft, table_with_key), draft(a_draft) {}

  Draft& draft;

  using ParseEndpoint = bool (*)(std::string_view text, Endpoint& endpoint, std::string& why);
  std::optional<Endpoint> bind(const toml::node& node, std::string_view key, const std::string& title,
                               ParseEndpoint parse);
};

}  // namespace breakwater::config
