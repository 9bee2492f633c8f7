#include "pieces.h"

#include "codes.h"
#include "isa.h"

namespace lionkit {

namespace {

bool is_code(Number number) { return number == Number::Int8 || number == Number::Int4; }

// The tensor at `index` of a list that may be empty, as may be the tensor; nullptr where there is none.
Handle optional_at(const Tensors& tensors, size_t index) {
  if (tensors.size() == 0 || numel(tensors[index]) == 0) return nullptr;
  return tensors[index];
}

bool knows(Number param, Number momentum) {
  if (is_code(param)) return false;
  return momentum == param || momentum == Number::Float32 || momentum == Number::BFloat16 || is_code(momentum);
}

void check_codes(size_t index, int64_t count, Handle codes, Number number, Handle scales) {
  const int64_t num_codes = number == Number::Int8 ? count : (count + 1) / 2;
  const int64_t num_scales = (count + kCodeBlock - 1) / kCodeBlock;
  STD_TORCH_CHECK(is_contiguous(codes), "lionkit::step_: codes ", index, " must be contiguous");
  STD_TORCH_CHECK(numel(codes) == num_codes, "lionkit::step_: momentum ", index, " has ",
                  numel(codes), " codes, a parameter of ", count, " numbers has ", num_codes);
  STD_TORCH_CHECK((scales == nullptr ? 0 : numel(scales)) == num_scales, "lionkit::step_: momentum ", index, " has ",
                  scales == nullptr ? 0 : numel(scales), " scales, a parameter of ", count, " numbers has ", num_scales);
  STD_TORCH_CHECK(scales == nullptr || (number_of(scales) == Number::BFloat16 && is_contiguous(scales) &&
                  is_cpu(scales)), "lionkit::step_: scales ", index, " must be contiguous bfloat16 on the CPU");
}

// Whether all can be walked as one row of numbers.
bool are_rows(Handle param, Handle grad, Handle momentum, Handle compensation, bool has_codes) {
  const auto all = [&](auto&& holds) {
    return holds(grad) && (has_codes || holds(momentum)) && (compensation == nullptr || holds(compensation));
  };
  if (is_contiguous(param) && all(is_contiguous)) return true;
  return !has_codes && all([&](Handle other) { return same_strides(param, other); }) && is_dense(param);
}

}  // namespace

std::optional<Piece> piece_of(const Lists& lists, size_t index, Map map, Selection selection) {
  const Handle param = lists.params[index], grad = lists.grads[index], momentum = lists.momenta[index];
  const Handle scales = optional_at(lists.scales, index), rest = optional_at(lists.compensations, index);
  const auto number = number_of(param), momentum_number = number_of(momentum);
  const bool has_codes = momentum_number && is_code(*momentum_number);
  STD_TORCH_CHECK(is_cpu(param) && is_cpu(grad) && is_cpu(momentum) && (rest == nullptr || is_cpu(rest)),
                  "lionkit::step_: tensors ", index, " are not all on the CPU");
  STD_TORCH_CHECK(same_shape(param, grad) && (has_codes || same_shape(param, momentum)) &&
                  (rest == nullptr || same_shape(param, rest)),
                  "lionkit::step_: parameter, gradient and momentum ", index, " differ in shape");
  const int64_t count = numel(param);
  STD_TORCH_CHECK(rest == nullptr || number == Number::BFloat16 || number == Number::Float16,
                  "lionkit::step_: parameter ", index, " has a compensation, only half precisions have one");
  if (has_codes) check_codes(index, count, momentum, *momentum_number, scales);
  const bool known = number && momentum_number && knows(*number, *momentum_number) && number_of(grad) == number &&
                     (rest == nullptr || number_of(rest) == number);
  if (!known || !are_rows(param, grad, momentum, rest, has_codes)) return std::nullopt;
  return Piece{mutable_data(param), const_data(grad), mutable_data(momentum),
               scales == nullptr ? nullptr : reinterpret_cast<BFloat16*>(mutable_data(scales)),
               rest == nullptr ? nullptr : mutable_data(rest), *momentum_number, bits_of(*momentum_number), index, count, 0, 0,
               find_loops(map, *number, selection)};
}

}  // namespace lionkit
