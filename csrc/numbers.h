// How numbers are kept in memory.
#pragma once

#include <cstdint>
#include <cstring>

namespace lionkit {

// Int8 and Int4 are the codes of a quantised momentum.
enum class Number { Float32, Float64, BFloat16, Float16, Int8, Int4 };

struct BFloat16 {
  uint16_t bits;
};
struct Float16 {
  uint16_t bits;
};

#define LIONKIT_INLINED __attribute__((always_inline))
#define LIONKIT_INLINE inline LIONKIT_INLINED

template <typename To, typename From>
LIONKIT_INLINE To bits_as(From from) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  std::memcpy(&to, &from, sizeof to);
  return to;
}

// Conversions are free of branches and intrinsics, so that the compiler vectorises them for any instruction set.

LIONKIT_INLINE float widen(float value) { return value; }
LIONKIT_INLINE double widen(double value) { return value; }
LIONKIT_INLINE float widen(BFloat16 half) { return bits_as<float>(uint32_t(half.bits) << 16); }
LIONKIT_INLINE float widen(Float16 half) {
  const uint32_t magnitude = uint32_t(half.bits & 0x7fff) << 13;
  // The exponent's bias is 127 instead of 15; the product also makes subnormals normal.
  const uint32_t finite = bits_as<uint32_t>(bits_as<float>(magnitude) * 0x1p112f);
  const uint32_t value = magnitude >= (31u << 23) ? magnitude | (255u << 23) : finite;
  return bits_as<float>(value | uint32_t(half.bits & 0x8000) << 16);
}

// To the nearest, ties to even; a nan stays one.
LIONKIT_INLINE void store(float& to, float value) { to = value; }
LIONKIT_INLINE void store(double& to, double value) { to = value; }
LIONKIT_INLINE void store(float& to, double value) { to = float(value); }
LIONKIT_INLINE void store(BFloat16& to, float value) {
  const uint32_t bits = bits_as<uint32_t>(value);
  const uint32_t rounded = bits + 0x7fff + ((bits >> 16) & 1);
  to.bits = uint16_t((value != value ? 0x7fc00000u : rounded) >> 16);
}
LIONKIT_INLINE void store(BFloat16& to, double value) { store(to, float(value)); }
LIONKIT_INLINE void store(Float16& to, float value) {
  const uint32_t bits = bits_as<uint32_t>(value), magnitude = bits & 0x7fffffff;
  const uint32_t normal = (magnitude + 0xfff + ((magnitude >> 13) & 1) - (112u << 23)) >> 13;
  // Adding 0.5 lets the processor round a number below 2^-14 at the last bit of a subnormal half.
  const uint32_t subnormal = bits_as<uint32_t>(bits_as<float>(magnitude) + 0.5f) - bits_as<uint32_t>(0.5f);
  const uint32_t special = magnitude > (255u << 23) ? 0x7e00 : 0x7c00;
  const uint32_t finite = magnitude < (113u << 23) ? subnormal : normal;
  to.bits = uint16_t((magnitude >= (143u << 23) ? special : finite) | ((bits >> 16) & 0x8000));
}

}  // namespace lionkit
