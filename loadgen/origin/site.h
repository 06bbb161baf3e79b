// What all cores of an origin share: its repositories, its faults, its counts. Made before the first
// connection; of it only what guards itself is written then.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "git/synthetic_repository.h"
#include "origin/faults.h"
#include "origin/options.h"
#include "tls/context.h"

namespace breakwater::storm::origin {

struct Counts {
  using Count = std::atomic<uint64_t>;
  Count connections{0}, connections_open{0}, requests{0};
  Count advertisements{0}, ls_refs{0}, packs{0}, pack_bytes{0}, negotiations{0}, pushes{0}, pushes_refused{0};
  Count lfs{0}, dumb{0}, pages{0}, challenges{0}, not_found{0}, body_bytes{0}, answers_broken{0};
};

// Long texts that are the same for many clients: lists of refs. Any thread.
class TextCache {
 public:
  static constexpr size_t bytes_max = 64 * 1024 * 1024;

  // `make`() unless the text of this key is there.
  template <typename Make>
  std::shared_ptr<const std::string> get(const std::string& key, Make make) {
    {
      const std::scoped_lock lock(mutex_);
      if (const auto known = texts_.find(key); known != texts_.end()) return known->second;
    }
    auto text = std::make_shared<const std::string>(make());
    const std::scoped_lock lock(mutex_);
    bytes_ += text->size() + key.size();
    if (bytes_ > bytes_max) {
      texts_.clear();
      bytes_ = text->size() + key.size();
    }
    texts_[key] = text;
    return text;
  }

 private:
  std::mutex mutex_;
  std::unordered_map<std::string, std::shared_ptr<const std::string>> texts_;
  size_t bytes_ = 0;
};

struct Site {
  Options options;
  std::string authorization;  // what a client must send; empty: nothing
  std::vector<std::unique_ptr<SyntheticRepository>> repositories;
  std::shared_ptr<const tls::Context> tls;  // null: plain
  Faults faults;
  Counts counts;
  TextCache texts;
};

}  // namespace breakwater::storm::origin
