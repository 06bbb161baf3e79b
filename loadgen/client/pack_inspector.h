// PackInspector: a sample of the packs is kept in files and given to real git, `git index-pack --strict`,
// which unpacks every object, resolves every delta, computes every id and looks at every object's form. It
// runs on a thread of its own, one pack at a time; a core only writes what it keeps, and waits for the
// verdict as for any other event.
//
// Which packs can be checked: those that need nothing but themselves, so of requests without haves (an
// answer to haves may be thin: its deltas have bases that we don't keep). Links between objects are checked
// too
// (--strict) where the pack must hold all of them; a shallow or filtered one is checked object by object
// (--fsck-objects), as git itself does then (fetch-pack.c).
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <expected>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "core/core.h"
#include "coro/task.h"
#include "git/object_id.h"

namespace breakwater::storm {

class PackInspector;

// One pack on its way into a file. Its owner is one coroutine; the file is gone with it.
class KeptPack {
 public:
  ~KeptPack();
  KeptPack(const KeptPack&) = delete;
  KeptPack& operator=(const KeptPack&) = delete;
  // The next bytes. False: too large, or the disk is full; it is not kept then, which is no failure.
  bool add(std::string_view bytes) noexcept;

 private:
  friend class PackInspector;
  KeptPack(PackInspector& inspector, int fd, std::string name, bool has_all_links) noexcept
      : inspector_(inspector), fd_(fd), name_(std::move(name)), has_all_links_(has_all_links) {}
  PackInspector& inspector_;
  int fd_;
  std::string name_;  // in the inspector's folder, without ".pack"
  bool has_all_links_;
  HashKind hash_ = HashKind::sha1;
  uint64_t bytes_ = 0;
};

class PackInspector {
 public:
  static constexpr uint64_t pack_bytes_max = 256ull << 20;  // a larger one is not kept
  static constexpr uint32_t packs_max = 8;                  // kept at one time, so 2 GiB of disk at most
  static constexpr int check_seconds_max = 120;             // for git; more is no verdict

  // Makes a folder below $TMPDIR or /tmp, and looks whether git is there. Otherwise a sentence.
  static std::expected<std::unique_ptr<PackInspector>, std::string> make();
  ~PackInspector();  // nothing may be kept any more
  PackInspector(const PackInspector&) = delete;
  PackInspector& operator=(const PackInspector&) = delete;

  // From any core. Null: as many as may be are kept already.
  std::unique_ptr<KeptPack> keep(HashKind hash, bool has_all_links);

  enum class Verdict : uint8_t { sound, corrupt, unknown };
  // Suspends until git has spoken. `pack` stays alive until then.
  Task<Verdict> inspect(Core& core, KeptPack& pack);

  // What git said of the last pack that it did not like; empty: of none.
  std::string last_complaint() const;

 private:
  friend class KeptPack;
  struct Job {
    const KeptPack* pack;
    int event;  // is signalled when `verdict` is there; both only with mutex_ held
    Verdict* verdict;
  };
  explicit PackInspector(std::string folder);
  void run();
  Verdict check(const KeptPack& pack);
  void remove(const KeptPack& pack) noexcept;

  std::string folder_;
  std::atomic<uint32_t> kept_{0};
  std::atomic<uint32_t> number_{0};
  mutable std::mutex mutex_;  // over what follows
  std::condition_variable changed_;
  std::deque<Job> jobs_;
  std::string complaint_;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace breakwater::storm
