// Text or bytes that nobody may find in memory afterwards: wiped when they go. Moves, does not copy.
#pragma once

#include <cstring>
#include <string>
#include <string_view>
#include <utility>

namespace breakwater::tls {

class Secret {
 public:
  Secret() = default;
  // Takes the text over; what `text` held elsewhere is its owner's to wipe.
  explicit Secret(std::string_view text) : text_(text) {}
  ~Secret() { wipe(); }
  Secret(Secret&& other) noexcept {
    text_.swap(other.text_);  // a moved-from short string would keep its bytes
  }
  Secret& operator=(Secret&& other) noexcept {
    wipe();
    text_.swap(other.text_);
    return *this;
  }

  std::string_view view() const noexcept { return text_; }
  bool empty() const noexcept { return text_.empty(); }

 private:
  void wipe() noexcept {
    text_.resize(text_.capacity());
    explicit_bzero(text_.data(), text_.size());
    text_.clear();
  }
  std::string text_;
};

}  // namespace breakwater::tls
