// Lists of tensors as torch's C shim hands them over. torch::stable::Tensor would allocate twice more for each of them,
// which is most of the cost of a step over thousands of small tensors.
#pragma once

#include <torch/csrc/stable/tensor.h>
#include <torch/headeronly/core/ScalarType.h>

#include <optional>
#include <utility>
#include <vector>

#include "numbers.h"

namespace lionkit {

using Handle = AtenTensorHandle;

// Owns what the operator was given.
class Tensors {
 public:
  explicit Tensors(std::vector<Handle> handles) : handles_(std::move(handles)) {}
  Tensors(const Tensors&) = delete;
  Tensors& operator=(const Tensors&) = delete;
  ~Tensors() {
    for (const Handle handle : handles_) aoti_torch_delete_tensor_object(handle);
  }
  size_t size() const { return handles_.size(); }
  Handle operator[](size_t i) const { return handles_[i]; }

 private:
  std::vector<Handle> handles_;
};

// What the shim's getter says of a tensor.
template <typename Value>
inline Value ask(AOTITorchError (*getter)(Handle, Value*), Handle tensor) {
  Value value;
  STABLE_TORCH_ERROR_CODE_CHECK(getter(tensor, &value));
  return value;
}

inline int64_t numel(Handle tensor) { return ask(aoti_torch_get_numel, tensor); }
inline bool is_contiguous(Handle tensor) { return ask(aoti_torch_is_contiguous, tensor); }
inline bool is_cpu(Handle tensor) {
  static const int32_t cpu = aoti_torch_device_type_cpu();
  return ask(aoti_torch_get_device_type, tensor) == cpu;
}
inline const char* const_data(Handle tensor) {
  return static_cast<const char*>(ask(torch_get_const_data_ptr, tensor));
}
inline char* mutable_data(Handle tensor) { return static_cast<char*>(ask(torch_get_mutable_data_ptr, tensor)); }

// The type of the numbers: none for what no kernel knows.
std::optional<Number> number_of(Handle tensor);
int64_t bits_of(Number number);

bool same_shape(Handle one, Handle other);
bool same_strides(Handle one, Handle other);
// Whether every place between the first number and the last belongs to exactly one coordinate.
bool is_dense(Handle tensor);

}  // namespace lionkit
