#include "client/pack_inspector.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <utility>
#include <vector>

#include "base/read_file.h"
#include "client/git_child.h"
#include "core/await.h"
#include "ring/sys.h"

namespace breakwater::storm {

namespace {

constexpr size_t complaint_bytes_max = 500;
constexpr const char* sha1_repository = "sha1.git";
constexpr const char* sha256_repository = "sha256.git";

// Runs git in `folder`, on a repository that is there, its words into `log`. Its exit status, or -1: it could
// not be run, was killed, or took too long.
int run_git(const std::string& folder, const char* repository, const std::string& log,
            std::vector<std::string> words) {
  GitChild git;
  if (!git.start({.folder = folder,
                  .words = std::move(words),
                  .variables = {"LC_ALL=C", "GIT_DIR=" + std::string(repository)},
                  .log = log}))
    return -1;
  return git.reap_within(PackInspector::check_seconds_max * 1000);
}

}  // namespace

// ---- one pack

KeptPack::~KeptPack() {
  inspector_.remove(*this);
}

bool KeptPack::add(std::string_view bytes) noexcept {
  if (bytes_ + bytes.size() > PackInspector::pack_bytes_max) return false;
  bytes_ += bytes.size();
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

// ---- the inspector

std::expected<std::unique_ptr<PackInspector>, std::string> PackInspector::make() {
  const char* const place = getenv("TMPDIR");
  std::string folder = std::string(place != nullptr && *place == '/' ? place : "/tmp") + "/stormgen-XXXXXX";
  if (mkdtemp(folder.data()) == nullptr)
    return std::unexpected("can't make a folder like " + folder + " for the packs that are checked");
  std::unique_ptr<PackInspector> made(new PackInspector(folder));
  // Empty ones: without any, git 2.39's index-pack crashes when an object is missing.
  if (run_git(folder, sha1_repository, "log", {"init", "-q", "--bare"}) != 0 ||
      run_git(folder, sha256_repository, "log", {"init", "-q", "--bare", "--object-format=sha256"}) != 0)
    return std::unexpected("git can't be run, which is to check a sample of the packs (deep_check)");
  made->thread_ = std::thread([inspector = made.get()] { inspector->run(); });
  return made;
}

PackInspector::PackInspector(std::string folder) : folder_(std::move(folder)) {}

PackInspector::~PackInspector() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

std::unique_ptr<KeptPack> PackInspector::keep(HashKind hash, bool has_all_links) {
  if (kept_.fetch_add(1) >= packs_max) {
    kept_.fetch_sub(1);
    return nullptr;
  }
  std::string name = std::to_string(number_.fetch_add(1));
  const int fd =
      ::open((folder_ + "/" + name + ".pack").c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) {
    kept_.fetch_sub(1);
    return nullptr;
  }
  std::unique_ptr<KeptPack> pack(new KeptPack(*this, fd, std::move(name), has_all_links));
  pack->hash_ = hash;
  return pack;
}

void PackInspector::remove(const KeptPack& pack) noexcept {
  ::close(pack.fd_);
  for (const char* const ending : {".pack", ".idx", ".rev", ".log"})
    ::unlink((folder_ + "/" + pack.name_ + ending).c_str());
  kept_.fetch_sub(1);
}

Task<PackInspector::Verdict> PackInspector::inspect(Core& core, KeptPack& pack) {
  Verdict verdict = Verdict::unknown;
  const int event = sys::make_event();
  if (event < 0) co_return verdict;
  {
    const std::lock_guard lock(mutex_);
    jobs_.push_back({&pack, event, &verdict});
  }
  changed_.notify_one();
  uint64_t count = 0;
  RingCall call(core);
  call.kind = Op::Kind::read;
  call.fd = event;
  call.data = &count;
  call.bytes = sizeof count;
  const int32_t read = co_await call;
  BW_ASSERT(read == sizeof count);
  const std::lock_guard lock(mutex_);  // the other thread is done with both when it has let go of it
  sys::close(event);
  co_return verdict;
}

void PackInspector::run() {
  for (;;) {
    Job job{};
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return ending_ || !jobs_.empty(); });
      if (jobs_.empty()) return;
      job = jobs_.front();
      jobs_.pop_front();
    }
    const Verdict verdict = check(*job.pack);
    const std::lock_guard lock(mutex_);
    *job.verdict = verdict;
    sys::signal_event(job.event);
  }
}

PackInspector::Verdict PackInspector::check(const KeptPack& pack) {
  std::vector<std::string> words = {"index-pack", pack.has_all_links_ ? "--strict" : "--fsck-objects"};
  words.insert(words.end(), {"-o", pack.name_ + ".idx", pack.name_ + ".pack"});
  const char* const repository = pack.hash_ == HashKind::sha256 ? sha256_repository : sha1_repository;
  const int status = run_git(folder_, repository, pack.name_ + ".log", std::move(words));
  if (status == 0) return Verdict::sound;
  if (status < 0) return Verdict::unknown;
  std::string text, why;
  read_file(folder_ + "/" + pack.name_ + ".log", complaint_bytes_max, text, why);
  const std::lock_guard lock(mutex_);
  complaint_ = std::move(text);
  return Verdict::corrupt;
}

std::string PackInspector::last_complaint() const {
  const std::lock_guard lock(mutex_);
  return complaint_;
}

}  // namespace breakwater::storm
