// What does this compiler do with coroutines? GCC 12 has known faults: an await in a condition can corrupt
// the frame (GCC PR 106188), and temporaries in an await expression can be destroyed twice (PR 99576, 100611,
// 101976).
//
// Each shape below runs in a child process of its own, counts constructions against destructions, and is
// reported as pass or fail. The shapes that our habits allow (one named await to a statement, operands are
// named locals, no lambda coroutine with captures) must pass, or this test fails. The others only tell when a
// habit may be relaxed. The decision that rests on this is docs/decisions/0001-compiler.md.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <coroutine>
#include <cstdio>
#include <cstdlib>
#include <expected>
#include <memory>
#include <string>
#include <utility>

namespace {

// Counts its copies, and notices being destroyed twice or used after that.
struct Tracked {
  static inline int constructed = 0;
  static inline int destroyed = 0;
  static inline bool misused = false;
  static constexpr unsigned alive = 0x600d600d;

  explicit Tracked(int number) : value(number) { ++constructed; }
  Tracked(const Tracked& other) : value(other.value) {
    check(other);
    ++constructed;
  }
  Tracked(Tracked&& other) noexcept : value(std::exchange(other.value, -1)) {
    check(other);
    ++constructed;
  }
  Tracked& operator=(const Tracked&) = delete;
  ~Tracked() {
    check(*this);
    // Through a volatile pointer, so that the write to a dying object is not optimised away.
    *const_cast<volatile unsigned*>(&mark) = 0xdeaddead;
    ++destroyed;
  }
  static void check(const Tracked& tracked) {
    if (*const_cast<const volatile unsigned*>(&tracked.mark) != alive) misused = true;
  }

  int value;
  unsigned mark = alive;
  std::unique_ptr<int> owned =
      std::make_unique<int>(7);  // a second destruction is a double free, which ASan names
};

// Task and Later are the shapes of src/coro/task.h and of an operation of the ring, without their pools.
template <typename T>
class [[nodiscard]] Task {
 public:
  struct promise_type {
    T value{};
    std::coroutine_handle<> parent;
    bool parent_suspended = false;
    struct Final {
      bool await_ready() const noexcept { return false; }
      std::coroutine_handle<> await_suspend(std::coroutine_handle<promise_type> self) const noexcept {
        const promise_type& promise = self.promise();
        return promise.parent_suspended ? promise.parent : std::noop_coroutine();
      }
      void await_resume() const noexcept {}
    };
    Task get_return_object() { return Task(std::coroutine_handle<promise_type>::from_promise(*this)); }
    std::suspend_always initial_suspend() const noexcept { return {}; }
    Final final_suspend() const noexcept { return {}; }
    void return_value(T result) { value = std::move(result); }
    [[noreturn]] void unhandled_exception() const { std::abort(); }
  };

  explicit Task(std::coroutine_handle<promise_type> handle) : handle_(handle) {}
  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Task& operator=(Task&&) = delete;
  ~Task() {
    if (handle_) handle_.destroy();
  }
  bool await_ready() const noexcept { return false; }
  bool await_suspend(std::coroutine_handle<> parent) {
    handle_.promise().parent = parent;
    handle_.resume();
    if (handle_.done()) return false;
    handle_.promise().parent_suspended = true;
    return true;
  }
  T await_resume() { return std::move(handle_.promise().value); }

  void start() { handle_.resume(); }
  bool done() const { return handle_.done(); }
  T& result() { return handle_.promise().value; }

 private:
  std::coroutine_handle<promise_type> handle_;
};

std::coroutine_handle<> suspended;  // whoever waits for Later

// An operation that finishes when the main loop says so.
struct Later {
  explicit Later(int number) : result(number) {}
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiter) noexcept { suspended = waiter; }
  int await_resume() const noexcept { return result; }
  int result;
};

template <typename T>
T run(Task<T>& task) {
  task.start();
  while (!task.done()) std::exchange(suspended, nullptr).resume();
  return std::move(task.result());
}

// Small coroutines to wait for.
Task<int> twice(int number) {
  Later later(number * 2);
  const int result = co_await later;
  co_return result;
}

Task<int> value_of(Tracked tracked) {
  Later later(tracked.value);
  const int result = co_await later;
  co_return result + tracked.value;
}

Task<int> value_behind(const Tracked& tracked) {
  Later later(tracked.value);
  const int result = co_await later;
  co_return result;
}

using Text = std::expected<std::string, int>;
Task<Text> text_or_error(bool good) {
  Later later(good ? 1 : 0);
  const int result = co_await later;
  if (result == 0) co_return std::unexpected(5);
  co_return std::string("a text that is too long for the small string buffer");
}

struct Pair {
  Tracked tracked;
  int number;
};

template <typename Function>
Task<int> call(Function function) {
  Later later(1);
  const int result = co_await later;
  co_return result + function();
}

// ---- Shapes that our code uses.

Task<int> named_await() {
  const int number = 21;
  const int result = co_await twice(number);
  co_return result;
}
bool ours_named_await() {
  Task<int> task = named_await();
  return run(task) == 42;
}

Task<int> named_operand_by_value() {
  Tracked tracked(4);
  const int copied = co_await value_of(tracked);
  const int moved = co_await value_of(std::move(tracked));
  co_return copied + moved;
}
bool ours_named_operand_by_value() {
  Task<int> task = named_operand_by_value();
  return run(task) == 16;
}

Task<int> named_operand_by_reference() {
  const Tracked tracked(4);
  const int result = co_await value_behind(tracked);
  co_return result;
}
bool ours_named_operand_by_reference() {
  Task<int> task = named_operand_by_reference();
  return run(task) == 4;
}

Task<int> result_then_return() {
  const Text good = co_await text_or_error(true);
  if (!good) co_return -1;
  const Text bad = co_await text_or_error(false);
  if (!bad) co_return static_cast<int>(good->size());
  co_return -2;
}
bool ours_result_then_return() {
  Task<int> task = result_then_return();
  return run(task) == 51;
}

Task<int> loop_of_awaits() {
  int sum = 0;
  while (true) {
    const Tracked tracked(sum);
    const int next = co_await twice(sum + 1);
    if (next > 1000) break;
    sum = next;
  }
  co_return sum;
}
bool ours_loop_of_awaits() {
  Task<int> task = loop_of_awaits();
  return run(task) == 510;
}

struct Session {
  Tracked tracked{3};
  Task<int> step(int number) {
    const int result = co_await twice(number);
    co_return result + tracked.value;
  }
  Task<int> life() {
    const int first = co_await step(1);
    const int second = co_await step(first);
    co_return second;
  }
};
bool ours_member_coroutine() {
  Session session;
  Task<int> task = session.life();
  return run(task) == 13;
}

Task<int> never_resumed() {
  const Tracked before(1);
  Later later(2);
  const int result = co_await later;
  const Tracked after(3);
  co_return result;
}
bool ours_destroyed_while_suspended() {
  {
    Task<int> task = never_resumed();
    task.start();
    suspended = nullptr;
  }
  return Tracked::constructed == 1;
}

Task<int> lambda_without_captures() {
  const auto doubled = [](int number) -> Task<int> {
    Later later(number * 2);
    const int result = co_await later;
    co_return result;
  };
  const int result = co_await doubled(8);
  co_return result;
}
bool ours_lambda_without_captures() {
  Task<int> task = lambda_without_captures();
  return run(task) == 16;
}

// ---- Shapes that our habits avoid.

Task<int> await_in_if() {
  if (co_await twice(1) == 2) co_return 1;
  co_return 0;
}
bool avoided_await_in_if() {
  Task<int> task = await_in_if();
  return run(task) == 1;
}

Task<int> await_in_bare_if() {
  if (co_await Later(1)) {
    if (co_await Later(1)) co_return 1;
  }
  co_return 0;
}
bool avoided_await_in_bare_if() {
  Task<int> task = await_in_bare_if();
  return run(task) == 1;
}

Task<int> await_in_switch() {
  switch (co_await Later(2)) {
    case 2:
      co_return 1;
    default:
      co_return 0;
  }
}
bool avoided_await_in_switch() {
  Task<int> task = await_in_switch();
  return run(task) == 1;
}

Task<int> await_in_while() {
  int turns = 0;
  while (co_await twice(turns) < 10) ++turns;
  co_return turns;
}
bool avoided_await_in_while() {
  Task<int> task = await_in_while();
  return run(task) == 5;
}

Task<int> temporary_operand() {
  const int result = co_await value_of(Tracked(4));
  co_return result;
}
bool avoided_temporary_operand() {
  Task<int> task = temporary_operand();
  return run(task) == 8;
}

Task<int> take_pair(Pair pair) {
  Later later(pair.number);
  const int result = co_await later;
  co_return result + pair.tracked.value;
}
Task<int> aggregate_in_await() {
  const int result = co_await take_pair(Pair{Tracked(4), 5});
  co_return result;
}
bool avoided_aggregate_in_await() {
  Task<int> task = aggregate_in_await();
  return run(task) == 9;
}

struct AwaitablePair {
  Tracked tracked;
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiter) noexcept { suspended = waiter; }
  int await_resume() const noexcept { return tracked.value; }
};
Task<int> aggregate_awaiter() {
  const int result = co_await AwaitablePair{Tracked(6)};
  co_return result;
}
bool avoided_aggregate_awaiter() {
  Task<int> task = aggregate_awaiter();
  return run(task) == 6;
}

Task<int> lambda_with_captures_as_operand() {
  const Tracked tracked(4);
  const int result = co_await call([tracked] { return tracked.value; });
  co_return result;
}
bool avoided_lambda_with_captures_as_operand() {
  Task<int> task = lambda_with_captures_as_operand();
  return run(task) == 5;
}

Task<int> lambda_coroutine_with_captures() {
  const Tracked tracked(4);
  // What is to be avoided. NOLINTNEXTLINE(cppcoreguidelines-avoid-capturing-lambda-coroutines)
  const int result = co_await [tracked]() -> Task<int> {
    Later later(1);
    const int one = co_await later;
    co_return one + tracked.value;
  }();
  co_return result;
}
bool avoided_lambda_coroutine_with_captures() {
  Task<int> task = lambda_coroutine_with_captures();
  return run(task) == 5;
}

Task<int> awaits_in_ternary() {
  const bool left = Tracked::constructed == 0;
  const int result = left ? co_await value_of(Tracked(4)) : co_await value_of(Tracked(5));
  co_return result;
}
bool avoided_awaits_in_ternary() {
  Task<int> task = awaits_in_ternary();
  return run(task) == 8;
}

// A braced list in an await expression, co_await sum_of({"a", "b"}), is missing here: GCC 12.2 does not
// compile it.

Task<std::pair<std::string, int>> text_and_number() {
  Later later(3);
  const int number = co_await later;
  co_return std::pair<std::string, int>("a string too long for the small string buffer", number);
}
Task<int> structured_binding_of_await() {
  const auto [text, number] = co_await text_and_number();
  co_return static_cast<int>(text.size()) + number;
}
bool avoided_structured_binding_of_await() {
  Task<int> task = structured_binding_of_await();
  return run(task) == 48;
}

Task<int> two_awaits_in_one_expression() {
  const int result = co_await value_of(Tracked(1)) + co_await value_of(Tracked(2));
  co_return result;
}
bool avoided_two_awaits_in_one_expression() {
  Task<int> task = two_awaits_in_one_expression();
  return run(task) == 6;
}

struct Shape {
  const char* name;
  bool (*holds)();
  bool ours;
};

constexpr Shape shapes[] = {
    {"named await", ours_named_await, true},
    {"named operand, by value", ours_named_operand_by_value, true},
    {"named operand, by reference", ours_named_operand_by_reference, true},
    {"named result, then co_return on error", ours_result_then_return, true},
    {"loop of named awaits", ours_loop_of_awaits, true},
    {"member coroutine", ours_member_coroutine, true},
    {"frame destroyed while suspended", ours_destroyed_while_suspended, true},
    {"lambda coroutine without captures", ours_lambda_without_captures, true},
    {"await in an if condition", avoided_await_in_if, false},
    {"await in an if condition, no locals", avoided_await_in_bare_if, false},
    {"await in a switch condition, no locals", avoided_await_in_switch, false},
    {"await in a while condition", avoided_await_in_while, false},
    {"temporary operand", avoided_temporary_operand, false},
    {"aggregate in an await expression", avoided_aggregate_in_await, false},
    {"aggregate with a non-trivial member as awaiter", avoided_aggregate_awaiter, false},
    {"lambda with captures as operand", avoided_lambda_with_captures_as_operand, false},
    {"lambda coroutine with captures", avoided_lambda_coroutine_with_captures, false},
    {"awaits in a ternary", avoided_awaits_in_ternary, false},
    {"structured binding of an await", avoided_structured_binding_of_await, false},
    {"two awaits in one expression", avoided_two_awaits_in_one_expression, false},
};

enum Verdict : int { passed = 0, wrong_result = 3, unbalanced = 4, used_when_dead = 5 };

int judge(const Shape& shape) {
  const bool holds = shape.holds();
  if (Tracked::misused) return used_when_dead;
  if (Tracked::constructed != Tracked::destroyed) return unbalanced;
  return holds ? passed : wrong_result;
}

// In a child, because a wrong frame may well crash.
std::string try_out(const Shape& shape) {
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    if (!shape.ours) {  // its crash report would only frighten
      const int nowhere = open("/dev/null", O_WRONLY);
      if (nowhere >= 0) dup2(nowhere, STDERR_FILENO);
    }
    const rlimit no_core{};
    setrlimit(RLIMIT_CORE, &no_core);
    alarm(10);
    _exit(judge(shape));
  }
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child) return "could not be tried";
  if (WIFSIGNALED(status)) return "crashed, signal " + std::to_string(WTERMSIG(status));
  switch (WEXITSTATUS(status)) {
    case passed:
      return {};
    case wrong_result:
      return "wrong result";
    case unbalanced:
      return "constructions and destructions differ";
    case used_when_dead:
      return "an object was used or destroyed after its end";
    default:
      return "ended with status " + std::to_string(WEXITSTATUS(status));
  }
}

}  // namespace

int main() {
#ifdef __clang__
  std::printf("clang %d.%d", __clang_major__, __clang_minor__);
#else
  std::printf("GCC %d.%d", __GNUC__, __GNUC_MINOR__);
#endif
#ifdef __OPTIMIZE__
  std::printf(", optimised\n");
#else
  std::printf(", not optimised\n");
#endif
  bool ours_hold = true;
  for (const Shape& shape : shapes) {
    const std::string fault = try_out(shape);
    std::printf("%s  %-8s %s%s%s\n", fault.empty() ? "pass" : "FAIL", shape.ours ? "ours" : "avoided",
                shape.name, fault.empty() ? "" : ": ", fault.c_str());
    if (shape.ours && !fault.empty()) ours_hold = false;
  }
  return ours_hold ? 0 : 1;
}
