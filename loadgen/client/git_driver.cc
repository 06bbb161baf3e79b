#include "client/git_driver.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <utility>

#include "base/read_file.h"
#include "client/git_words.h"
#include "core/await.h"
#include "git/synthetic_commit.h"
#include "plan/profile.h"

namespace breakwater::storm {

namespace {

namespace fs = std::filesystem;

constexpr size_t words_bytes_max = 4096;
constexpr const char* complaints = "complaints.txt";
constexpr const char* output = "output.txt";
constexpr const char* branch = "storm";

// Of a file; empty if there is none.
std::string words_in(const std::string& path) {
  std::string text, why;
  read_file(path, words_bytes_max, text, why);
  return text;
}

void add_depth(std::vector<std::string>& words, const Operation& operation) {
  if (operation.depth > 0) words.push_back("--depth=" + std::to_string(operation.depth));
}

void remove_all(const std::string& folder) {
  std::error_code ignored;
  fs::remove_all(folder, ignored);
}

bool make_folder(const std::string& folder) {
  std::error_code failed;
  fs::create_directories(folder, failed);
  return !failed;
}

// Empty, or why git can't do what the scenario wants.
std::string why_not(const Scenario& scenario) {
  for (const Operation& operation : scenario.operations)
    if (operation.verb == Verb::lfs || operation.verb == Verb::dumb || operation.verb == Verb::page)
      return "--driver git can't perform " + operation.name + ": that is not git's own work";
  const Runners& runners = scenario.runners;
  if (runners.download > 0 || runners.slow_percent > 0 || runners.vanish_percent > 0)
    return "--driver git can't hold git back: no download cap, no slow readers, nobody vanishes";
  if (!scenario.target.tls_name.empty() && scenario.target.tls_name != scenario.target.host)
    return "--driver git can't ask for another name in the certificate than the host's";
  return {};
}

// Settings without a file, and where no list of processes shows them (git-config(1), GIT_CONFIG_COUNT).
class Settings {
 public:
  void add(std::string_view key, std::string_view value) {
    const std::string number = std::to_string(count_++);
    all_.push_back("GIT_CONFIG_KEY_" + number + "=" + std::string(key));
    all_.push_back("GIT_CONFIG_VALUE_" + number + "=" + std::string(value));
  }
  std::vector<std::string> take() {
    all_.push_back("GIT_CONFIG_COUNT=" + std::to_string(count_));
    return std::move(all_);
  }

 private:
  size_t count_ = 0;
  std::vector<std::string> all_;
};

}  // namespace

// ---- the driver

std::expected<std::unique_ptr<GitDriver>, std::string> GitDriver::make(const Scenario& scenario,
                                                                       const Site& site) {
  std::string why = why_not(scenario);
  if (!why.empty()) return std::unexpected(std::move(why));
  const char* const place = getenv("TMPDIR");
  std::string folder =
      std::string(place != nullptr && *place == '/' ? place : "/tmp") + "/stormgen-git-XXXXXX";
  if (mkdtemp(folder.data()) == nullptr)
    return std::unexpected("can't make a folder like " + folder + " for what git clones");
  std::unique_ptr<GitDriver> driver(new GitDriver(scenario, site, folder));
  GitChild git;
  constexpr int version_milliseconds_max = 10'000;
  if (!git.start({.folder = folder, .words = {"--version"}, .variables = {}, .log = complaints}) ||
      git.reap_within(version_milliseconds_max) != 0)
    return std::unexpected("git can't be run, which --driver git is about");
  return driver;
}

GitDriver::GitDriver(const Scenario& scenario, const Site& site, std::string folder)
    : scenario_(scenario), site_(site), folder_(std::move(folder)) {}

GitDriver::~GitDriver() {
  remove_all(folder_);
}

std::string GitDriver::url_of(const Job& job) const {
  return (scenario_.target.tls ? "https://" : "http://") + site_.authority + scenario_.target.prefix +
         job.repository();
}

// Of the runner, for one purpose and one repository.
std::string GitDriver::place_of(const Job& job, const char* what) const {
  return folder_ + "/" + std::to_string(job.runner.index) + "/" + what +
         std::to_string(job.arrival.repository);
}

std::vector<std::string> GitDriver::variables_of(const Job& job) const {
  const Target& target = scenario_.target;
  const Profile& profile = profile_of(job.operation.client);
  Settings settings;
  settings.add("protocol.version", std::to_string(job.operation.protocol));
  settings.add("transfer.unpackLimit", "1");  // packs stay packs, so that they can be measured
  settings.add("gc.auto", "0");
  settings.add("maintenance.auto", "false");
  settings.add("user.name", "storm");
  settings.add("user.email", "storm@example.com");
  settings.add("http.lowSpeedLimit", "1");
  settings.add("http.lowSpeedTime", std::to_string(std::max<int64_t>(job.operation.stall.count() / 1000, 1)));
  if (profile.user_agent != profile.agent) settings.add("http.userAgent", profile.user_agent);
  const bool is_first = profile.extra_header || target.authentication == Authentication::basic ||
                        target.authentication == Authentication::bearer;
  const std::string& shown = target.authentication == Authentication::bearer ? site_.bearer : site_.basic;
  std::vector<std::string> all;
  if (target.authentication != Authentication::none && is_first) {
    settings.add("http.extraHeader", "Authorization: " + shown);
  } else if (target.authentication != Authentication::none) {
    settings.add("credential.helper",
                 R"(!f() { echo "username=$STORM_USER"; echo "password=$STORM_SECRET"; }; f)");
    all = {"STORM_USER=" + target.user, "STORM_SECRET=" + target.secret};
  }
  for (std::string& each : settings.take()) all.push_back(std::move(each));
  all.emplace_back("LC_ALL=C.UTF-8");  // as CI's containers have it; git says so in Accept-Language
  if (!target.tls_ca.empty()) all.push_back("GIT_SSL_CAINFO=" + fs::absolute(target.tls_ca).string());
  if (!target.tls_verify) all.emplace_back("GIT_SSL_NO_VERIFY=1");
  return all;
}

// Bytes and objects (gitformat-pack: "PACK", a version, the number of objects) of all packs there.
GitDriver::Packs GitDriver::packs_in(const std::string& folder) {
  Packs packs;
  std::error_code failed;
  for (const char* const objects : {"/.git/objects/pack", "/objects/pack"})
    for (const fs::directory_entry& entry : fs::directory_iterator(folder + objects, failed)) {
      if (entry.path().extension() != ".pack") continue;
      packs.bytes += entry.file_size(failed);
      std::array<unsigned char, 12> head{};
      std::ifstream(entry.path(), std::ios::binary).read(reinterpret_cast<char*>(head.data()), head.size());
      for (size_t i = 0; i < 4; ++i) packs.objects += uint64_t{head[8 + i]} << (24 - 8 * i);
    }
  return packs;
}

// ---- one git

Task<Failure> GitDriver::run(Job& job, std::string folder, std::vector<std::string> words) const {
  if (job.runner.connection.is_stopped()) co_return Failure::timed_out;
  GitCall call;
  call.folder = std::move(folder);
  call.words = std::move(words);
  call.variables = variables_of(job);
  call.log = complaints;
  call.output = output;
  GitChild& git = job.runner.git;
  if (!git.start(call)) co_return job.fail(Failure::local, "git can't be started");
  const int64_t timeout_ns = ns(job.operation.timeout);
  Deadline deadline(
      job.core, timeout_ns > 0 ? job.try_began_ns + timeout_ns : 0,
      [](void* child) { static_cast<GitChild*>(child)->kill(); }, &git);
  RingCall ended(job.core);
  ended.kind = Op::Kind::poll_readable;
  ended.fd = git.ends_fd();
  co_await ended;
  const int status = git.reap();
  if (status == 0) co_return Failure::none;
  if (deadline.expired() || job.runner.connection.is_stopped()) co_return Failure::timed_out;
  GitComplaint complaint = read_git_complaint(words_in(call.folder + "/" + complaints));
  if (complaint.status != 0) job.outcome.status = complaint.status;
  job.words = std::move(complaint.words);
  co_return complaint.failure;
}

// `git init` where nothing is yet.
Task<Failure> GitDriver::make_repository(Job& job, std::string place, bool has_origin) const {
  if (fs::exists(place)) co_return Failure::none;
  if (!make_folder(place)) co_return job.fail(Failure::local, "no folder can be made for git");
  std::vector<std::string> words = {"init", "-q", "-b", branch};
  Failure failure = co_await run(job, place, std::move(words));
  if (failure != Failure::none || !has_origin) co_return failure;
  words = {"remote", "add", "origin", url_of(job)};
  failure = co_await run(job, place, std::move(words));
  co_return failure;
}

// ---- operations

Task<Failure> GitDriver::perform(Job& job) const {
  // What follows a push asks for exactly what that has made.
  if (job.follows != nullptr && job.operation.verb == Verb::fetch) return fetch_one(job);
  switch (job.operation.verb) {
    case Verb::ls_remote:
      return list(job);
    case Verb::clone:
      return clone(job);
    case Verb::fetch:
    case Verb::tags:
      return fetch(job);
    case Verb::fetch_object:
      return fetch_one(job);
    case Verb::push:
    case Verb::lfs:
    case Verb::dumb:
    case Verb::page:
      break;
  }
  return push(job);  // the others were refused: why_not()
}

Task<Failure> GitDriver::list(Job& job) const {
  std::string place = place_of(job, "list");
  if (!make_folder(place)) co_return job.fail(Failure::local, "no folder can be made for git");
  std::vector<std::string> words = {"ls-remote"};
  if (profile_of(job.operation.client).heads_only) words.emplace_back("--heads");
  words.push_back(url_of(job));
  const Failure failure = co_await run(job, std::move(place), std::move(words));
  co_return failure;
}

Task<Failure> GitDriver::clone(Job& job) const {
  const std::string place = place_of(job, "clone");
  remove_all(place);
  if (!make_folder(place)) co_return job.fail(Failure::local, "no folder can be made for git");
  std::vector<std::string> words = {"clone", "-q"};
  // A checkout is of interest where it asks for more.
  words.emplace_back(job.operation.blobless ? "--filter=blob:none" : "--no-checkout");
  add_depth(words, job.operation);
  if (!job.operation.ref.empty()) words.insert(words.end(), {"-b", job.operation.ref});
  words.insert(words.end(), {url_of(job), "here"});
  const Failure failure = co_await run(job, place, std::move(words));
  packs_in(place + "/here").count(job.outcome);
  remove_all(place);
  co_return failure;
}

// Into the copy that the runner keeps.
Task<Failure> GitDriver::fetch(Job& job) const {
  const std::string place = place_of(job, "fetch");
  Failure failure = co_await make_repository(job, place, true);
  if (failure != Failure::none) co_return failure;
  const Packs before = packs_in(place);
  std::vector<std::string> words = {"fetch", "-q"};
  if (job.operation.verb == Verb::tags) words.emplace_back("--tags");
  add_depth(words, job.operation);
  words.emplace_back("origin");
  if (!job.operation.ref.empty()) words.push_back(job.operation.ref);
  failure = co_await run(job, place, std::move(words));
  const Packs after = packs_in(place);
  Packs{after.bytes - before.bytes, after.objects - before.objects}.count(job.outcome);
  co_return failure;
}

Task<Failure> GitDriver::find_tip(Job& job) const {
  const std::string place = place_of(job, "list");
  if (!make_folder(place)) co_return job.fail(Failure::local, "no folder can be made for git");
  std::vector<std::string> words = {"ls-remote", url_of(job), "HEAD"};
  const Failure failure = co_await run(job, place, std::move(words));
  if (failure != Failure::none) co_return failure;
  const std::string line = words_in(place + "/" + output);
  const std::optional<ObjectId> id = ObjectId::parse(std::string_view(line).substr(0, line.find('\t')));
  if (!id) co_return job.fail(Failure::git, "the server has no ref HEAD");
  job.known.tip = *id;
  co_return Failure::none;
}

// Into an empty repository, as a fresh CI machine.
Task<Failure> GitDriver::fetch_one(Job& job) const {
  Failure failure = Failure::none;
  std::optional<ObjectId> id = ObjectId::parse(job.operation.ref);
  if (!id && job.follows != nullptr) id = job.follows->commit;
  if (!id && job.known.tip.is_zero()) failure = co_await find_tip(job);
  if (failure != Failure::none) co_return failure;
  if (!id) id = job.known.tip;
  const std::string place = place_of(job, "one");
  remove_all(place);
  failure = co_await make_repository(job, place, false);
  if (failure != Failure::none) co_return failure;
  std::vector<std::string> words = {"fetch", "-q", "--no-tags", "--prune", "--no-recurse-submodules"};
  add_depth(words, job.operation);
  words.insert(words.end(), {url_of(job), "+" + id->hex() + ":refs/remotes/origin/main"});
  failure = co_await run(job, place, std::move(words));
  packs_in(place).count(job.outcome);
  remove_all(place);
  co_return failure;
}

Task<Failure> GitDriver::push(Job& job) const {
  const std::string place = place_of(job, "push");
  Failure failure = co_await make_repository(job, place, false);
  if (failure != Failure::none) co_return failure;
  std::vector<std::string> words;
  for (uint32_t commit = 0; commit < job.operation.commits; ++commit) {
    const uint64_t seed = mix(scenario_.seed, job.runner.index, ++job.runner.pushes);
    std::ofstream(place + "/" + std::to_string(job.runner.pushes), std::ios::binary)
        << noise(seed, job.operation.bytes);
    words = {"add", std::to_string(job.runner.pushes)};
    failure = co_await run(job, place, std::move(words));
    if (failure != Failure::none) co_return failure;
    words = {"commit", "-q", "-m", "storm " + std::to_string(job.runner.pushes)};
    failure = co_await run(job, place, std::move(words));
    if (failure != Failure::none) co_return failure;
  }
  std::string ref = job.operation.ref.empty() ? "storm" : job.operation.ref;
  if (!ref.starts_with("refs/")) ref = "refs/heads/" + ref;
  // An earlier storm's branch has another history.
  words = {"push", "-q", url_of(job), "+HEAD:" + ref + "/" + std::to_string(job.runner.index)};
  failure = co_await run(job, place, std::move(words));
  if (failure != Failure::none) co_return failure;
  std::string tip = words_in(place + "/.git/refs/heads/" + branch);
  while (tip.ends_with('\n')) tip.pop_back();
  if (const std::optional<ObjectId> id = ObjectId::parse(tip)) job.pushed = *id;
  co_return Failure::none;
}

}  // namespace breakwater::storm
