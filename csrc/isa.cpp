#include "isa.h"

#include <cstdlib>
#include <string_view>
#include <type_traits>

#include "codes.h"
#include "noise.h"

#if defined(__x86_64__) && defined(__GNUC__)
#define LIONKIT_X86 1
#endif

namespace lionkit {

namespace baseline {
#include "rows.inc"
}  // namespace baseline

#if LIONKIT_X86
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma,f16c")
#endif
namespace avx2 {
#include "rows.inc"
}  // namespace avx2
#if defined(__clang__)
#pragma clang attribute pop
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512vl,fma,f16c"))), apply_to = function)
#else
#pragma GCC pop_options
#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,fma,f16c,prefer-vector-width=512")
#endif
namespace avx512 {
#include "rows.inc"
}  // namespace avx512
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
#endif  // LIONKIT_X86

namespace {

enum class Isa { Baseline, Avx2, Avx512 };

// LIONKIT_ISA caps the choice, so that one machine can test what another would run.
bool allowed(const char* name) {
  const char* cap = std::getenv("LIONKIT_ISA");
  return cap == nullptr || std::string_view(cap) == "avx512" || std::string_view(cap) == name;
}

Isa detect() {
#if LIONKIT_X86
  const bool fma = __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
  if (fma && allowed("avx512") && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
    return Isa::Avx512;
  if (fma && allowed("avx2") && __builtin_cpu_supports("avx2")) return Isa::Avx2;
#endif
  return Isa::Baseline;
}

const Isa isa = detect();

}  // namespace

const char* instruction_set() {
  return isa == Isa::Avx512 ? "avx512" : isa == Isa::Avx2 ? "avx2" : "baseline";
}

Loops find_loops(Map map, Number param, Selection selection) {
#if LIONKIT_X86
  if (isa == Isa::Avx512) return avx512::find_loops(map, param, selection);
  if (isa == Isa::Avx2) return avx2::find_loops(map, param, selection);
#endif
  return baseline::find_loops(map, param, selection);
}

}  // namespace lionkit
