#include "unit/tls/certificates.h"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace breakwater::tls::testing {
namespace {

[[noreturn]] void give_up(const char* why, const std::string& path) {
  std::fprintf(stderr, "%s: %s\n", path.c_str(), why);
  std::abort();
}

class Folder {
 public:
  Folder() {
    std::string path = (std::filesystem::temp_directory_path() / "breakwater-tls-XXXXXX").string();
    if (mkdtemp(path.data()) == nullptr) give_up("can't be made", path);
    path_ = path;
    if (std::system(("'" MAKE_CERTIFICATES "' '" + path + "'").c_str()) != 0)
      give_up("no certificates could be made; is openssl there? openssl.log in it says more", path);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::filesystem::path path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace

std::string certificate_file(std::string_view name) {
  static const Folder folder;
  const std::filesystem::path path = folder.path() / name;
  if (!std::filesystem::is_regular_file(path)) give_up("there is no such file", path.string());
  std::string text(std::filesystem::file_size(path), '\0');
  std::ifstream file;
  file.rdbuf()->pubsetbuf(nullptr, 0);  // keys must lie in no buffer behind our back
  file.open(path, std::ios::binary);
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  return text;
}

}  // namespace breakwater::tls::testing
