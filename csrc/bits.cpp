#include "bits.h"

#include <algorithm>
#include <array>
#include <bit>

namespace lionkit {

namespace {

constexpr int64_t kChunk = 256;     // coordinates that are compared together, in vectors
constexpr int64_t kColumns = 512;   // bytes of a row that are tallied together, in the first cache
constexpr int64_t kMostRows = 255;  // votes that one byte can count

// Bytes of 0 or 1 to the bits of one byte, the first to the lowest: the product brings byte k to bit 56 + k.
LIONKIT_INLINE uint8_t gather(const uint8_t* flags) {
  uint64_t word = 0;
  for (int k = 0; k < 8; ++k) word |= uint64_t(flags[k]) << (8 * k);  // one load where bytes are little-endian
  return uint8_t((word * 0x0102040810204080u) >> 56);
}

// The bits of a byte as bytes of 0 or 1.
constexpr std::array<uint64_t, 256> spread_table() {
  std::array<uint64_t, 256> table{};
  for (uint64_t byte = 0; byte < 256; ++byte)
    for (int k = 0; k < 8; ++k) table[byte] |= ((byte >> k) & 1) << (8 * k);
  return table;
}

constexpr std::array<uint64_t, 256> kSpread = spread_table();

// What a chunk of columns has been voted so far, eight coordinates to a word.
struct Count {
  uint64_t above[kColumns], cast[kColumns];
  uint8_t nan[kColumns];
};

void add_row(Count& count, const uint8_t* signs, const uint8_t* nonzeros, int64_t size) {
  if (nonzeros == nullptr) {
    for (int64_t i = 0; i < size; ++i) count.above[i] += kSpread[signs[i]];
    return;
  }
  for (int64_t i = 0; i < size; ++i) {
    count.above[i] += kSpread[signs[i] & nonzeros[i]];
    count.cast[i] += kSpread[nonzeros[i]];
    count.nan[i] |= signs[i] & ~nonzeros[i];
  }
}

// Adds up to 255 rows to the votes.
void add_rows(const Count& count, int64_t num_rows, bool has_zeros, int64_t size, int16_t* votes) {
  for (int64_t i = 0; i < size; ++i)
    for (int k = 0; k < 8; ++k) {
      const int above = (count.above[i] >> (8 * k)) & 255;
      const int cast = has_zeros ? (count.cast[i] >> (8 * k)) & 255 : num_rows;
      int16_t& vote = votes[8 * i + k];
      vote = int16_t(vote == kNanVote || ((count.nan[i] >> k) & 1) ? kNanVote : vote + 2 * above - cast);
    }
}

}  // namespace

template <typename Param>
Others pack_signs(const Param* x, int64_t first, int64_t last, uint8_t* signs, uint8_t* nonzeros) {
  alignas(64) uint8_t above[kChunk], apart[kChunk];
  int64_t num_nonzeros = 0, num_nans = 0;
  for (int64_t start = first; start < last; start += kChunk) {
    const int64_t size = std::min(kChunk, last - start);
    for (int64_t i = 0; i < size; ++i) {
      const auto value = widen(x[start + i]);
      above[i] = !(value <= 0);
      apart[i] = (value < 0) | (value > 0);
    }
    for (int64_t i = size; i % 8 != 0; ++i) above[i] = apart[i] = 0;
    for (int64_t i = 0; i < size; i += 8) {
      const uint8_t sign = gather(above + i), nonzero = gather(apart + i);
      signs[(start + i) / 8] = sign;
      nonzeros[(start + i) / 8] = nonzero;
      num_nonzeros += std::popcount(nonzero);
      num_nans += std::popcount(uint8_t(sign & ~nonzero));
    }
  }
  return {last - first - num_nonzeros - num_nans, num_nans};
}

template Others pack_signs(const float*, int64_t, int64_t, uint8_t*, uint8_t*);
template Others pack_signs(const double*, int64_t, int64_t, uint8_t*, uint8_t*);
template Others pack_signs(const BFloat16*, int64_t, int64_t, uint8_t*, uint8_t*);
template Others pack_signs(const Float16*, int64_t, int64_t, uint8_t*, uint8_t*);

void tally_signs(const uint8_t* signs, const uint8_t* nonzeros, int64_t num_rows, int64_t num_bytes, int64_t first,
                 int64_t last, int16_t* votes) {
  Count count;
  for (int64_t start = first; start < last; start += kColumns) {
    const int64_t size = std::min(kColumns, last - start);
    std::fill_n(votes + 8 * start, 8 * size, int16_t(0));
    for (int64_t row = 0; row < num_rows; row += kMostRows) {
      const int64_t rows = std::min(kMostRows, num_rows - row);
      std::memset(&count, 0, sizeof count);
      for (int64_t i = row; i < row + rows; ++i) {
        const int64_t at = i * num_bytes + start;
        add_row(count, signs + at, nonzeros == nullptr ? nullptr : nonzeros + at, size);
      }
      add_rows(count, rows, nonzeros != nullptr, size, votes + 8 * start);
    }
  }
}

int64_t digits_per_byte(int64_t base) {
  int64_t digits = 0;
  for (int64_t codes = base; codes <= 256; codes *= base) ++digits;
  return digits;
}

}  // namespace lionkit
