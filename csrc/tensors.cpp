#include "tensors.h"

#include <algorithm>

namespace lionkit {

std::optional<Number> number_of(Handle tensor) {
  static const std::pair<int32_t, Number> known[] = {
      {aoti_torch_dtype_float32(), Number::Float32},   {aoti_torch_dtype_bfloat16(), Number::BFloat16},
      {aoti_torch_dtype_float16(), Number::Float16},   {aoti_torch_dtype_float64(), Number::Float64},
      {aoti_torch_dtype_int8(), Number::Int8},         {aoti_torch_dtype_uint8(), Number::Int4},
  };
  const int32_t dtype = ask(aoti_torch_get_dtype, tensor);
  for (const auto& [code, number] : known)
    if (code == dtype) return number;
  return std::nullopt;
}

int64_t bits_of(Number number) {
  switch (number) {
    case Number::Float64: return 64;
    case Number::Float32: return 32;
    case Number::Int8: return 8;
    case Number::Int4: return 4;
    default: return 16;
  }
}

bool same_shape(Handle one, Handle other) {
  const int64_t dim = ask(aoti_torch_get_dim, one);
  if (dim != ask(aoti_torch_get_dim, other)) return false;
  const int64_t* sizes = ask(aoti_torch_get_sizes, one);
  return std::equal(sizes, sizes + dim, ask(aoti_torch_get_sizes, other));
}

bool same_strides(Handle one, Handle other) {
  const int64_t* strides = ask(aoti_torch_get_strides, one);
  return std::equal(strides, strides + ask(aoti_torch_get_dim, one), ask(aoti_torch_get_strides, other));
}

bool is_dense(Handle tensor) {
  const int64_t dim = ask(aoti_torch_get_dim, tensor);
  const int64_t *sizes = ask(aoti_torch_get_sizes, tensor), *strides = ask(aoti_torch_get_strides, tensor);
  std::vector<std::pair<int64_t, int64_t>> axes;  // stride, size
  for (int64_t axis = 0; axis < dim; ++axis)
    if (sizes[axis] != 1) axes.emplace_back(strides[axis], sizes[axis]);
  std::sort(axes.begin(), axes.end());
  int64_t expected = 1;
  for (const auto& [stride, size] : axes) {
    if (stride != expected) return false;
    expected *= size;
  }
  return true;
}

}  // namespace lionkit
