// Signs as bits, votes as their sums, and small digits several to a byte: what Distributed Lion sends.
//
// As src/lionkit/kernels/_bits_reference.py has it. Bit or digit k of a byte belongs to its k-th coordinate.
#pragma once

#include "numbers.h"

namespace lionkit {

// A vote that some worker has cast with what is not a number.
constexpr int16_t kNanVote = INT16_MIN;

struct Others {
  int64_t zeros = 0, nans = 0;
};

// Packs coordinates [first, last) of x, `first` a multiple of 8, into the bytes of two planes: whether a coordinate is
// above 0, and whether it is not 0. What is not a number is the fourth case: above 0, and yet 0.
template <typename Param>
Others pack_signs(const Param* x, int64_t first, int64_t last, uint8_t* signs, uint8_t* nonzeros);

// Sums the votes of bytes [first, last) of every row: 1 or -1 a worker, 0 where its bit in `nonzeros` is 0. Without
// `nonzeros` nobody has voted 0.
void tally_signs(const uint8_t* signs, const uint8_t* nonzeros, int64_t num_rows, int64_t num_bytes, int64_t first,
                 int64_t last, int16_t* votes);

// How many digits of this base a byte holds; the base is in [2, 256].
int64_t digits_per_byte(int64_t base);

}  // namespace lionkit
