// The operators of what Distributed Lion sends: their arguments, and the registration with torch.

#include <torch/csrc/stable/library.h>
#include <torch/csrc/stable/ops.h>
#include <torch/csrc/stable/tensor.h>

#include <algorithm>
#include <tuple>
#include <vector>

#include "bits.h"

namespace {

using namespace lionkit;
using torch::headeronly::ScalarType;
using torch::stable::Tensor;

constexpr int64_t kGrain = 4096;  // bytes of code that are worth a second thread

Tensor bytes_like(const Tensor& like, std::vector<int64_t> shape) {
  return torch::stable::new_zeros(like, shape, ScalarType::Byte);
}

void check(bool holds, const char* name, const char* must) {
  STD_TORCH_CHECK(holds, "lionkit::", name, " must be ", must);
}

template <typename Param>
Others pack_all(const Tensor& x, int64_t num_bytes, uint8_t* planes) {
  const auto* from = static_cast<const Param*>(x.const_data_ptr());
  const int64_t numel = x.numel();
  Others total;
  torch::stable::parallel_for(0, (numel + 7) / 8, kGrain, [&](int64_t begin, int64_t end) {
    const Others found = pack_signs(from, 8 * begin, std::min(8 * end, numel), planes, planes + num_bytes);
    // Integers: the order of the threads does not matter.
    __atomic_fetch_add(&total.zeros, found.zeros, __ATOMIC_RELAXED);
    __atomic_fetch_add(&total.nans, found.nans, __ATOMIC_RELAXED);
  });
  return total;
}

std::tuple<Tensor, Tensor> pack_signs_(Tensor x, int64_t num_bytes) {
  check(x.is_cpu() && x.is_contiguous(), "pack_signs: x", "contiguous and on the CPU");
  check(8 * num_bytes >= x.numel(), "pack_signs: num_bytes", "an eighth of the coordinates at least");
  Tensor planes = bytes_like(x, {2, num_bytes});
  Tensor others = torch::stable::new_zeros(x, {2}, ScalarType::Long);
  uint8_t* to = planes.mutable_data_ptr<uint8_t>();
  Others found;
  switch (x.scalar_type()) {
    case ScalarType::Float: found = pack_all<float>(x, num_bytes, to); break;
    case ScalarType::Double: found = pack_all<double>(x, num_bytes, to); break;
    case ScalarType::BFloat16: found = pack_all<BFloat16>(x, num_bytes, to); break;
    case ScalarType::Half: found = pack_all<Float16>(x, num_bytes, to); break;
    default: check(false, "pack_signs: x", "of float32, float64, bfloat16 or float16");
  }
  others.mutable_data_ptr<int64_t>()[0] = found.zeros;
  others.mutable_data_ptr<int64_t>()[1] = found.nans;
  return {planes, others};
}

Tensor tally_signs_(Tensor signs, std::optional<Tensor> nonzeros) {
  const auto is_plane = [](const Tensor& plane) {
    return plane.is_cpu() && plane.is_contiguous() && plane.dim() == 2 && plane.scalar_type() == ScalarType::Byte;
  };
  check(is_plane(signs), "tally_signs: signs", "a contiguous matrix of uint8 on the CPU");
  const int64_t num_rows = signs.size(0), num_bytes = signs.size(1);
  check(num_rows < INT16_MAX, "tally_signs: rows", "fewer than 32767");
  check(!nonzeros || (is_plane(*nonzeros) && nonzeros->size(0) == num_rows && nonzeros->size(1) == num_bytes),
        "tally_signs: nonzeros", "of the shape of the signs");
  Tensor votes = torch::stable::new_empty(signs, {8 * num_bytes}, ScalarType::Short);
  const auto* from = signs.const_data_ptr<uint8_t>();
  const auto* cast = nonzeros ? nonzeros->const_data_ptr<uint8_t>() : nullptr;
  auto* to = votes.mutable_data_ptr<int16_t>();
  torch::stable::parallel_for(0, num_bytes, kGrain, [&](int64_t begin, int64_t end) {
    tally_signs(from, cast, num_rows, num_bytes, begin, end, to);
  });
  return votes;
}

Tensor pack_digits_(Tensor digits, int64_t base) {
  check(digits.is_cpu() && digits.is_contiguous() && digits.scalar_type() == ScalarType::Short, "pack_digits: digits",
        "contiguous int16 on the CPU");
  check(2 <= base && base <= 256, "pack_digits: base", "in [2, 256]");
  const int64_t numel = digits.numel(), per_byte = digits_per_byte(base);
  Tensor codes = bytes_like(digits, {(numel + per_byte - 1) / per_byte});
  const auto* from = digits.const_data_ptr<int16_t>();
  auto* to = codes.mutable_data_ptr<uint8_t>();
  torch::stable::parallel_for(0, codes.numel(), kGrain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      int64_t code = 0;
      for (int64_t k = std::min((i + 1) * per_byte, numel) - 1; k >= i * per_byte; --k) code = code * base + from[k];
      to[i] = uint8_t(code);
    }
  });
  return codes;
}

// What each byte stands for: its digits one after the other, looked up in the table.
template <typename Value>
std::vector<Value> words_of(const Value* table, int64_t base, int64_t per_byte) {
  std::vector<Value> words(256 * per_byte);
  for (int64_t code = 0; code < 256; ++code)
    for (int64_t k = 0, rest = code; k < per_byte; ++k, rest /= base) words[code * per_byte + k] = table[rest % base];
  return words;
}

template <typename Value>
void unpack_all(const Tensor& codes, const Tensor& table, int64_t per_row, Tensor& values) {
  const int64_t base = table.numel(), per_byte = digits_per_byte(base), num_bytes = codes.size(1);
  const auto words = words_of(static_cast<const Value*>(table.const_data_ptr()), base, per_byte);
  const auto* from = codes.const_data_ptr<uint8_t>();
  auto* to = static_cast<Value*>(values.mutable_data_ptr());
  const int64_t numel = values.numel();
  torch::stable::parallel_for(0, codes.numel(), kGrain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t row = i / num_bytes, in_row = i % num_bytes * per_byte, at = row * per_row + in_row;
      const int64_t size = std::min({per_byte, per_row - in_row, numel - at});
      const Value* word = &words[from[i] * per_byte];
      for (int64_t k = 0; k < size; ++k) to[at + k] = word[k];
    }
  });
}

Tensor unpack_digits_(Tensor codes, Tensor table, int64_t per_row, int64_t numel) {
  const int64_t base = table.numel();
  check(table.is_cpu() && table.is_contiguous() && 2 <= base && base <= 256, "unpack_digits: table",
        "2 to 256 numbers on the CPU");
  check(codes.is_cpu() && codes.is_contiguous() && codes.dim() == 2 && codes.scalar_type() == ScalarType::Byte,
        "unpack_digits: codes", "a contiguous matrix of uint8 on the CPU");
  check(0 <= per_row && per_row <= codes.size(1) * digits_per_byte(base), "unpack_digits: per_row",
        "at most what a row holds");
  check(0 <= numel && numel <= codes.size(0) * per_row, "unpack_digits: numel", "at most what the rows hold");
  Tensor values = torch::stable::new_empty(table, {numel});
  switch (table.element_size()) {
    case 2: unpack_all<uint16_t>(codes, table, per_row, values); break;
    case 4: unpack_all<uint32_t>(codes, table, per_row, values); break;
    case 8: unpack_all<uint64_t>(codes, table, per_row, values); break;
    default: check(false, "unpack_digits: table", "of numbers of 2, 4 or 8 bytes");
  }
  return values;
}

}  // namespace

STABLE_TORCH_LIBRARY_IMPL(lionkit, CPU, library) {
  library.impl("pack_signs", TORCH_BOX(&pack_signs_));
  library.impl("tally_signs", TORCH_BOX(&tally_signs_));
  library.impl("pack_digits", TORCH_BOX(&pack_digits_));
  library.impl("unpack_digits", TORCH_BOX(&unpack_digits_));
}
