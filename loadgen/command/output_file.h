// OutputFile: a file of results, opened before there are any, so that one that can't be written is known
// before a storm of an hour and not after it.
//
// What stood in it stays until write(). One that was made by open(), and in which nothing was written, goes
// with its owner; it stays, empty, if a signal ends the program.
#pragma once

#include <expected>
#include <string>
#include <string_view>

namespace breakwater::storm {

class OutputFile {
 public:
  // May wait: of a named pipe for its reader. Otherwise a sentence that says why not.
  static std::expected<OutputFile, std::string> open(const std::string& path);
  OutputFile(OutputFile&& other) noexcept;
  OutputFile& operator=(OutputFile&&) = delete;
  ~OutputFile();

  // Once: all of it, and nothing else. Empty, or a sentence that says why it can't be.
  std::string write(std::string_view text);

 private:
  OutputFile(std::string path, int fd, bool is_new) noexcept;

  std::string path_;
  int fd_;
  bool is_new_;  // and nothing was written in it
};

}  // namespace breakwater::storm
