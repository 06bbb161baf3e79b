// GitDriver: the operations of a storm by the installed git, one process after the other for each runner. It
// is for small storms: to show that the native requests are honest, and what a client's own work adds.
//
// Differences from the native driver, because git is what it is:
// - An operation has no phases but its end, and counts neither requests nor bytes of HTTP. Its pack's bytes
//   and objects are those of the files that git leaves; to a pack of what is new git adds the objects that it
//   builds upon, so there they are more than the server has sent.
// - A push makes its commits first, which counts as its time. The first begins a history of its own.
// - fetch-object without an id asks for HEAD's with `git ls-remote`, once on each core.
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "client/git_child.h"
#include "client/job.h"
#include "coro/task.h"

namespace breakwater::storm {

class GitDriver {
 public:
  // Makes a folder below $TMPDIR or /tmp for what is cloned; it goes with the driver. Otherwise a sentence:
  // there is no git, or the scenario wants what git can't do. Both outlive it.
  static std::expected<std::unique_ptr<GitDriver>, std::string> make(const Scenario& scenario,
                                                                     const Site& site);
  ~GitDriver();
  GitDriver(const GitDriver&) = delete;
  GitDriver& operator=(const GitDriver&) = delete;

  // One try. From any core; suspends until git has ended.
  Task<Failure> perform(Job& job) const;

 private:
  struct Packs {
    uint64_t bytes = 0, objects = 0;
    void count(Outcome& outcome) const noexcept {
      outcome.pack_bytes = bytes;
      outcome.pack_objects = static_cast<uint32_t>(objects);
    }
  };
  GitDriver(const Scenario& scenario, const Site& site, std::string folder);
  std::string url_of(const Job& job) const;
  std::string place_of(const Job& job, const char* what) const;
  std::vector<std::string> variables_of(const Job& job) const;
  static Packs packs_in(const std::string& folder);

  Task<Failure> run(Job& job, std::string folder, std::vector<std::string> words) const;
  Task<Failure> list(Job& job) const;
  Task<Failure> clone(Job& job) const;
  Task<Failure> fetch(Job& job) const;
  Task<Failure> fetch_one(Job& job) const;
  Task<Failure> push(Job& job) const;
  Task<Failure> find_tip(Job& job) const;
  Task<Failure> make_repository(Job& job, std::string place, bool has_origin) const;

  const Scenario& scenario_;
  const Site& site_;
  std::string folder_;
};

}  // namespace breakwater::storm
