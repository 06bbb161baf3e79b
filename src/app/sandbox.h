// Sandbox: what the running process may still ask of the kernel. Privileges go before the first thread is
// made; every system call that serving does not need goes once all threads run and all is open. Nothing of it
// can be taken back, not by whoever gets to run code in here either.
//
// What is asked of the kernel through a ring is not seen by a filter of system calls: each ring is restricted
// to the operations that it was made for (Ring::open).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace breakwater::app {

// Those that return bool: true, or `why` is a sentence with cause and cure.

// Gives up every capability of this thread but two: to bind ports below 1024, and to lock memory beyond the
// user's limit, which some kernels count rings against. In the bounding set too, where that is allowed
// (CAP_SETPCAP). Before files are read: what can't be read without capabilities can't be read anew later
// either, and shall fail at once.
bool keep_what_starting_needs(std::string& why);

// Those as well, for this thread and those that it makes from now on; and no program that it executes gets
// any back (no_new_privs). Each thread has its own: every one that runs already has to call this.
bool give_up_privileges(std::string& why);

// From here on and in all threads, what is not among allowed_calls() ends the process with SIGSYS. No thread
// can be made then, nor a ring, nor memory that can be executed. After give_up_privileges().
bool filter_system_calls(std::string& why);

// For behind what a step that opens files, and nothing else, says of its failure: what root may not have
// thought of, if it was denied one; otherwise empty.
std::string hint_for_root(bool sandbox, std::string_view why);

// False in a build with sanitizers, which ask for more than can be listed: filter_system_calls() does
// nothing.
bool build_has_filter() noexcept;

struct AllowedCall {
  std::string_view name;
  std::string_view only;     // with what; empty: with anything
  bool ends_beside = false;  // with anything else: the process ends. False: it is an error, EPERM
};
// As docs/security.md lists them.
std::vector<AllowedCall> allowed_calls();

}  // namespace breakwater::app
