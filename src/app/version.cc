#include "app/version.h"

#include <fmt/format.h>
#include <unistd.h>

#include "app/sandbox.h"
#include "ring/ring.h"
#include "ring/sys.h"
#include "tls/library.h"
#include "wire/http_head.h"

namespace breakwater::app {
namespace {

std::string tls_warning() {
  const std::string warning = tls::slow_library_warning();
  return warning.empty() ? "" : "warning: " + warning + "\n";
}

// What `sandbox` comes to in a running proxy.
std::string sandbox_text() {
  if (!build_has_filter()) return "no capabilities; every system call: this build has sanitizers";
  return fmt::format("no capabilities; {} system calls, and any other ends the process",
                     allowed_calls().size());
}

}  // namespace

std::string version_text() {
  const RingFeatures features = probe_ring_features();
  sys::PipeEnds pipe;
  const bool has_pipe = sys::make_pipe(pipe, 1024 * 1024) == 0;
  if (has_pipe) {
    close(pipe.read);
    close(pipe.write);
  }
  std::string text = fmt::format(
      "breakwater {}\n"
      "compiler: {}\n"
      "libraries (built with): liburing {}, llhttp {}, c-ares {}, fmt {}.{}.{}\n"
      "TLS: {}\n"
      "{}"
      "TLS by the kernel: {}\n"
      "sandbox: {}\n"
      "{}\n",
      BW_VERSION, BW_COMPILER, BW_LIBURING, wire::second_parser_version(), BW_CARES, FMT_VERSION / 10000,
      FMT_VERSION / 100 % 100, FMT_VERSION % 100, tls::library_text(), tls_warning(),
      sys::kernel_has_tls() ? "yes" : "no (CONFIG_TLS, or its module)", sandbox_text(), features.summary);
  if (!features.usable) return text + "data path: none: " + features.why + "\n";
  return text + fmt::format(
                    "data path: heads, small and chunked bodies by ring receive and gathered send; bodies of "
                    "a known length from 64 KiB "
                    "on, and long ones without, by splice through pipes of {} KiB\n",
                    has_pipe ? pipe.capacity / 1024 : 0);
}

}  // namespace breakwater::app
