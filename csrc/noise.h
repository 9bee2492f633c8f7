// Noise that depends on nothing but the step and the place of a number: the same for any number of threads.
//
// As lionkit.kernels._noise has it.
#pragma once

#include "numbers.h"

namespace lionkit {

// The finaliser of splitmix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014.
inline uint64_t mix64(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

// A word for each number: start + index * multiplier, modulo 2^32. Both are drawn anew for each step, parameter and
// stream, so a word is uniform and independent of the words of near neighbours; it costs one addition. A fixed multiplier
// would keep some pairs of numbers together in every step.
struct NoiseKey {
  uint32_t start, multiplier;

  NoiseKey from(int64_t index) const { return {start + uint32_t(index) * multiplier, multiplier}; }
  LIONKIT_INLINE uint32_t word(int64_t index) const { return start + uint32_t(index) * multiplier; }
};

// The keys of one parameter's numbers from `index` to the next multiple of 2^32.
struct NoiseKeys {
  NoiseKey momentum, weights;

  NoiseKeys(uint64_t step, uint64_t position, uint64_t index) {
    const uint64_t starts = mix64(step + mix64(position << 32 | index >> 32)), multipliers = mix64(starts);
    momentum = {uint32_t(starts), uint32_t(multipliers) | 1};
    weights = {uint32_t(starts >> 32), uint32_t(multipliers >> 32) | 1};
  }
};

}  // namespace lionkit
