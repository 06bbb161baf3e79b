// What a build with -Dfuzz_coverage=true calls at each block of code, for programs that don't look; those of
// tests/fuzz have one that does (standalone_main.cc), which the linker finds before this one.
extern "C" __attribute__((no_sanitize_coverage)) void __sanitizer_cov_trace_pc() {}
