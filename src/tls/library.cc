#include "tls/library.h"

#include <cstdlib>
#include <cstring>

#include "base/assert.h"
#include "tls/wolfssl.h"

#if __has_include(<breakwater_wolfssl.h>)
#include <breakwater_wolfssl.h>
#endif

namespace breakwater::tls {
namespace {

// In front of each piece, of the size that keeps it aligned: its length, so that all of it can be wiped.
constexpr size_t note_bytes = 16;

thread_local int64_t held_bytes = 0;

size_t length_of(const char* whole) {
  size_t bytes;
  std::memcpy(&bytes, whole, sizeof bytes);
  return bytes;
}

void* take(size_t bytes) {
  if (bytes > SIZE_MAX - note_bytes) return nullptr;
  char* const whole = static_cast<char*>(std::malloc(bytes + note_bytes));
  if (whole == nullptr) return nullptr;
  std::memcpy(whole, &bytes, sizeof bytes);
  held_bytes += static_cast<int64_t>(bytes);
  return whole + note_bytes;
}

void give_back(void* piece) {
  if (piece == nullptr) return;
  char* const whole = static_cast<char*>(piece) - note_bytes;
  const size_t bytes = length_of(whole);
  held_bytes -= static_cast<int64_t>(bytes);
  explicit_bzero(piece, bytes);
  std::free(whole);
}

// realloc() would leave the old piece behind as it is.
void* resize(void* piece, size_t bytes) {
  void* const larger = take(bytes);
  if (larger == nullptr || piece == nullptr) return larger;
  const size_t before = length_of(static_cast<char*>(piece) - note_bytes);
  std::memcpy(larger, piece, before < bytes ? before : bytes);
  give_back(piece);
  return larger;
}

bool start() {
  return wolfSSL_SetAllocators(take, give_back, resize) == 0 && wolfSSL_Init() == WOLFSSL_SUCCESS;
}

// What the assembly needs of the CPU, if the library has any: a library with it falls back to C without.
std::string assembly_in_use() {
#if defined(WOLFSSL_AESNI) && defined(__x86_64__)
  if (__builtin_cpu_supports("aes") && __builtin_cpu_supports("pclmul")) {
    return std::string("AES-NI") + (__builtin_cpu_supports("avx2")  ? ", AVX2"
                                    : __builtin_cpu_supports("avx") ? ", AVX"
                                                                    : "");
  }
#elif defined(WOLFSSL_ARMASM)
  return "ARMv8";
#endif
  return {};
}

constexpr bool has_assembly() {
#if defined(WOLFSSL_AESNI) || defined(WOLFSSL_ARMASM)
  return true;
#else
  return false;
#endif
}

}  // namespace

void start_library() noexcept {
  static const bool started = start();
  if (!started) fatal("wolfSSL could not be started");
}

std::string library_text() {
#ifdef BREAKWATER_WOLFSSL_PACKAGE
  const std::string from = "built from " BREAKWATER_WOLFSSL_PACKAGE;
#else
  const std::string from = "the system's library";
#endif
  const std::string assembly = assembly_in_use();
  return "wolfSSL " LIBWOLFSSL_VERSION_STRING " (running: " + std::string(wolfSSL_lib_version()) + "), " +
         from + (assembly.empty() ? ", without assembly" : ", assembly in use: " + assembly);
}

std::string slow_library_warning() {
  if (!assembly_in_use().empty()) return {};
  if (has_assembly()) return "TLS is slow: this CPU lacks what wolfSSL's assembly needs (AES instructions)";
  return "TLS is slow: this wolfSSL was built without assembly, AES-GCM takes some 30 times as long; build "
         "without "
         "-Dwolfssl=system";
}

int64_t library_bytes() noexcept {
  return held_bytes;
}

}  // namespace breakwater::tls
