// Blockwise codes of a momentum, 8 or 4 bits each: `lionkit.momentum.Blockwise` has the definition and its reasons.
#pragma once

#include <algorithm>
#include <cfloat>

#include "numbers.h"

namespace lionkit {

constexpr int64_t kCodeBlock = 128;  // numbers that share a unit
constexpr uint32_t kOne = 0x3f800000;  // the bits of 1.0f
constexpr uint32_t kSign = 0x80000000;

template <int mantissa_bits, int largest_level, bool stochastic_rounding>
struct Codec {
  static constexpr int shift = 23 - mantissa_bits;
  static constexpr int largest = largest_level;
  static constexpr bool stochastic = stochastic_rounding;

  // The map from levels to sizes is linear near 0 and logarithmic above: the upper bits of a float, from 1 on.
  static LIONKIT_INLINE float size_of(int32_t level) { return bits_as<float>((uint32_t(level) << shift) + kOne) - 1; }

  // The largest absolute value in units.
  static float top() { return size_of(largest); }

  static LIONKIT_INLINE float decode(int32_t code, float unit) {
    const float size = size_of(code < 0 ? -code : code) * unit;
    return bits_as<float>(bits_as<uint32_t>(size) | (uint32_t(code) & kSign));
  }

  // A number that is not 0 has a code that is not 0, of its sign.
  static LIONKIT_INLINE int32_t encode(float value, float per_unit, uint32_t word) {
    const uint32_t magnitude = bits_as<uint32_t>(value) & ~kSign;
    const float scaled = bits_as<float>(magnitude) * per_unit;
    const float z = 1 + (scaled < top() ? scaled : top());  // between the product and the sum: no compiler may fuse them
    const uint32_t rounding = stochastic ? word >> (32 - shift) : 1u << (shift - 1);
    const int32_t nearest = int32_t(bits_as<uint32_t>(z) - kOne + rounding) >> shift;
    const int32_t level = std::max(nearest, int32_t(std::min(magnitude, 1u)));
    return value < 0 ? -level : level;
  }

  // The least bfloat16 in whose units no number of a block is above the top, from the bits of the largest: a normal
  // number, so that it has an inverse; nan where a number is not finite.
  static BFloat16 unit_of(uint32_t largest_bits) {
    if (largest_bits == 0) return {0};
    if (largest_bits >= 0x7f800000) return {0x7fc0};
    const uint32_t most = bits_as<uint32_t>(FLT_MAX / top()) >> 16;
    const uint32_t above = (bits_as<uint32_t>(bits_as<float>(largest_bits) / top()) + 0xffff) >> 16;
    return {uint16_t(std::clamp(above, 0x0080u, most))};
  }
};

using Codec8 = Codec<5, 127, true>;
using Codec4 = Codec<0, 7, true>;

}  // namespace lionkit
