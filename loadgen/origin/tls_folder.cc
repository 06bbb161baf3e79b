#include "origin/tls_folder.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>
#include <vector>

#include "tls/library.h"
#include "tls/pem.h"

namespace breakwater::storm::origin {

namespace {

constexpr size_t files_max = 64;
constexpr uintmax_t file_bytes_max = 1024 * 1024;

void note(const tls::Errors& errors, std::string& why) {
  for (const std::string& error : errors) why += (why.empty() ? "" : "\n") + error;
}

}  // namespace

std::shared_ptr<const tls::Context> read_tls_folder(const std::string& folder, std::string& why) {
  tls::start_library();
  std::vector<tls::File> files;
  std::error_code error;
  std::filesystem::directory_iterator each(folder, error);
  for (const std::filesystem::directory_iterator end; !error && each != end; each.increment(error)) {
    std::error_code unreadable;
    if (!each->is_regular_file(unreadable) || each->file_size(unreadable) > file_bytes_max ||
        files.size() == files_max)
      continue;
    std::ifstream file(each->path(), std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    files.push_back({each->path().string(), tls::Secret(text)});
  }
  if (error) {
    why = folder + ": " + error.message();
    return nullptr;
  }
  tls::Pairing pairing = tls::pair_up(files);
  if (pairing.errors.empty() && pairing.pairs.empty())
    pairing.errors.push_back(folder + ": there is no certificate in it");
  note(pairing.errors, why);
  if (!why.empty()) return nullptr;
  tls::ContextSettings settings;
  settings.pairs = std::move(pairing.pairs);
  std::expected<std::shared_ptr<const tls::Context>, tls::Errors> made =
      tls::Context::make(std::move(settings));
  if (made) return *made;
  note(made.error(), why);
  return nullptr;
}

}  // namespace breakwater::storm::origin
