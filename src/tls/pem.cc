#include "tls/pem.h"

#include <algorithm>
#include <map>

#include "tls/library.h"
#include "tls/wolfssl.h"

namespace breakwater::tls {
namespace {

constexpr std::string_view begin_mark = "-----BEGIN ";
constexpr std::string_view end_of_mark = "-----";

struct Piece {
  std::string_view label;
  std::string_view text;  // with its marks
};

// The next piece at or behind `from`, which moves behind it. No piece: an empty label.
std::expected<Piece, std::string> next_piece(std::string_view text, size_t& from) {
  const size_t begin = text.find(begin_mark, from);
  if (begin == std::string_view::npos) return Piece{};
  const size_t label_at = begin + begin_mark.size();
  const size_t label_end = text.find(end_of_mark, label_at);
  if (label_end == std::string_view::npos) return std::unexpected("it ends within a BEGIN line");
  const std::string_view label = text.substr(label_at, label_end - label_at);
  const std::string end_mark = "-----END " + std::string(label) + "-----";
  const size_t end = text.find(end_mark, label_end);
  const size_t another = text.find(begin_mark, label_end);
  if (end == std::string_view::npos || another < end)
    return std::unexpected("it has a BEGIN " + std::string(label) + " without its END: is it being written?");
  from = end + end_mark.size();
  return Piece{label, text.substr(begin, from - begin)};
}

std::vector<uint8_t> der_of_certificate(std::string_view pem) {
  std::vector<uint8_t> der(pem.size());
  const int length = wc_CertPemToDer(bytes_of(pem), static_cast<int>(pem.size()), der.data(),
                                     static_cast<int>(der.size()), CERT_TYPE);
  der.resize(length > 0 ? static_cast<size_t>(length) : 0);
  return der;
}

bool is_encrypted(const Piece& piece) {
  return piece.label == "ENCRYPTED PRIVATE KEY" || piece.text.find("ENCRYPTED") != std::string_view::npos;
}

// The files of one name.
struct Group {
  const File* pem = nullptr;
  const File* certificate = nullptr;
  const File* key = nullptr;
  const File* staple = nullptr;
};

class Pairer {
 public:
  void sort(const File& file) {
    const std::string_view path = file.name;
    const std::string_view name = path.substr(path.rfind('/') + 1);  // all of it if there is no '/'
    if (name.empty() || name.front() == '.' || name.back() == '~') return;
    const std::string_view ending = name.substr(std::min(name.rfind('.'), name.size()));
    Group& group = groups_[std::string(path.substr(0, path.size() - ending.size()))];
    if (ending == ".pem")
      group.pem = &file;
    else if (ending == ".crt")
      group.certificate = &file;
    else if (ending == ".key")
      group.key = &file;
    else if (ending == ".ocsp")
      group.staple = &file;
    else
      wrong(file, "its name ends in none of .pem, .crt, .key and .ocsp");
  }

  Pairing finish() {
    for (const auto& [name, group] : groups_) join(name, group);
    return std::move(pairing_);
  }

 private:
  void wrong(const File& file, std::string_view why) {
    pairing_.errors.push_back(file.name + ": " + std::string(why));
  }

  void join(const std::string& name, const Group& group) {
    const File* const certificate = group.pem != nullptr ? group.pem : group.certificate;
    const File* const key = group.pem != nullptr ? group.pem : group.key;
    if (group.pem != nullptr && group.certificate != nullptr)
      return wrong(*group.certificate, "there is a " + name + ".pem as well");
    if (group.pem != nullptr && group.key != nullptr)
      return wrong(*group.key, "there is a " + name + ".pem as well");
    if (certificate == nullptr && key == nullptr) {
      if (group.staple != nullptr) wrong(*group.staple, "there is no certificate " + name + ".crt or .pem");
      return;  // a file that was complained of already
    }
    if (key == nullptr) return wrong(*certificate, "its key is missing: there is no " + name + ".key");
    if (certificate == nullptr)
      return wrong(*key, "its certificate is missing: there is no " + name + ".crt");

    std::expected<Pieces, std::string> chain = take_apart(certificate->text.view());
    if (!chain) return wrong(*certificate, chain.error());
    if (chain->certificates.empty()) return wrong(*certificate, "it holds no certificate");
    if (group.pem == nullptr && !chain->key.empty())
      return wrong(*certificate,
                   "it holds a private key, whose place is " + name + ".key (or both in " + name + ".pem)");
    std::expected<Pieces, std::string> keys = take_apart(key->text.view());
    if (!keys) return wrong(*key, keys.error());
    if (keys->key.empty()) return wrong(*key, "it holds no private key");

    Pair pair{.name = name,
              .chain = std::move(chain->certificates_pem),
              .key = std::move(keys->key),
              .staple = group.staple != nullptr ? std::string(group.staple->text.view()) : std::string(),
              .chain_file = certificate->name,
              .key_file = key->name};
    if (group.staple != nullptr && pair.staple.empty()) return wrong(*group.staple, "it is empty");
    pairing_.pairs.push_back(std::move(pair));
  }

  std::map<std::string, Group> groups_;
  Pairing pairing_;
};

}  // namespace

std::expected<Pieces, std::string> take_apart(std::string_view text) {
  start_library();
  Pieces pieces;
  size_t at = 0;
  while (true) {
    const std::expected<Piece, std::string> piece = next_piece(text, at);
    if (!piece) return std::unexpected(piece.error());
    if (piece->label.empty()) return pieces;
    if (piece->label == "CERTIFICATE") {
      std::vector<uint8_t> der = der_of_certificate(piece->text);
      if (der.empty())
        return std::unexpected("its certificate no. " + std::to_string(pieces.certificates.size() + 1) +
                               " is no base64 of a certificate");
      pieces.certificates.push_back(std::move(der));
      pieces.certificates_pem.append(piece->text).append("\n");
    } else if (piece->label == "X509 CRL") {
      pieces.revocation_lists.emplace_back(piece->text);
    } else if (piece->label.ends_with("PRIVATE KEY")) {
      if (is_encrypted(*piece))
        return std::unexpected("its key is encrypted, and there is nobody to ask for a password");
      if (!pieces.key.empty()) return std::unexpected("it holds two private keys");
      pieces.key = Secret(piece->text);
    }
  }
}

Pairing pair_up(const std::vector<File>& files) {
  Pairer pairer;
  for (const File& file : files) pairer.sort(file);
  return pairer.finish();
}

}  // namespace breakwater::tls
