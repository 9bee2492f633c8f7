// The operator lionkit::step_: checks, the split of the work over threads, and the registration with torch.
//
// Built against torch's stable ABI: the one binary serves every torch from 2.10 on.

#include <torch/csrc/stable/library.h>
#include <torch/csrc/stable/ops.h>
#include <torch/csrc/stable/tensor.h>
#include <torch/headeronly/core/ScalarType.h>

#include <algorithm>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "isa.h"

namespace {

using lionkit::Number;
using torch::headeronly::ScalarType;
using torch::stable::Tensor;

// Fewer numbers than this are not worth a second thread: about 10 us of work.
constexpr int64_t kGrain = 32768;

struct Piece {
  char* param;
  const char* grad;
  char* momentum;
  int64_t param_size, momentum_size;  // bytes a number
  int64_t end;                        // numbers in this and all earlier pieces
  lionkit::Update update;
};

std::optional<Number> number_of(ScalarType type) {
  switch (type) {
    case ScalarType::Float: return Number::Float32;
    case ScalarType::Double: return Number::Float64;
    case ScalarType::BFloat16: return Number::BFloat16;
    case ScalarType::Half: return Number::Float16;
    default: return std::nullopt;
  }
}

lionkit::Map map_of(const std::string& kappa) {
  if (kappa == "sign") return lionkit::Map::Sign;
  if (kappa == "identity") return lionkit::Map::Identity;
  STD_TORCH_CHECK(false, "lionkit::step_: kappa is \"", kappa, "\", it must be \"sign\" or \"identity\"");
}

// Whether every place between the first number and the last belongs to exactly one coordinate.
bool is_dense(const Tensor& tensor) {
  std::vector<std::pair<int64_t, int64_t>> axes;  // stride, size
  for (int64_t axis = 0; axis < tensor.dim(); ++axis)
    if (tensor.size(axis) != 1) axes.emplace_back(tensor.stride(axis), tensor.size(axis));
  std::sort(axes.begin(), axes.end());
  int64_t expected = 1;
  for (const auto& [stride, size] : axes) {
    if (stride != expected) return false;
    expected *= size;
  }
  return true;
}

// Whether the three can be walked as one row of numbers.
bool is_row(const Tensor& param, const Tensor& grad, const Tensor& momentum) {
  if (param.is_contiguous() && grad.is_contiguous() && momentum.is_contiguous()) return true;
  return param.strides() == grad.strides() && param.strides() == momentum.strides() && is_dense(param);
}

int64_t size_of(Number number) {
  return number == Number::Float64 ? 8 : number == Number::Float32 ? 4 : 2;
}

// Checks one parameter and finds its update, none where the three are not a row; nothing has been written yet.
std::optional<Piece> piece_of(size_t index, const Tensor& param, const Tensor& grad, const Tensor& momentum,
                              lionkit::Map map) {
  STD_TORCH_CHECK(param.is_cpu() && grad.is_cpu() && momentum.is_cpu(), "lionkit::step_: tensors ", index,
                  " are not all on the CPU");
  STD_TORCH_CHECK(param.sizes() == grad.sizes() && param.sizes() == momentum.sizes(), "lionkit::step_: parameter, "
                  "gradient and momentum ", index, " differ in shape");
  const auto type = param.scalar_type();
  const auto number = number_of(type), momentum_number = number_of(momentum.scalar_type());
  const auto update = number && momentum_number ? lionkit::find_update(map, *number, *momentum_number) : nullptr;
  if (update == nullptr || type != grad.scalar_type() || !is_row(param, grad, momentum)) return std::nullopt;
  return Piece{static_cast<char*>(param.mutable_data_ptr()), static_cast<const char*>(grad.const_data_ptr()),
               static_cast<char*>(momentum.mutable_data_ptr()), size_of(*number), size_of(*momentum_number),
               param.numel(), update};
}

struct Work {
  std::vector<Piece> pieces;
  Tensor left;  // bool, one a parameter: it is not a row, or there is no kernel for its dtypes
};

Work work_of(const std::vector<Tensor>& params, const std::vector<Tensor>& grads, const std::vector<Tensor>& momenta,
             lionkit::Map map, const Tensor& like) {
  STD_TORCH_CHECK(params.size() == grads.size() && params.size() == momenta.size(), "lionkit::step_: got ",
                  params.size(), " parameters, ", grads.size(), " gradients and ", momenta.size(), " momenta");
  Work work{{}, torch::stable::new_zeros(like, {int64_t(params.size())}, ScalarType::Bool)};
  work.pieces.reserve(params.size());
  bool* left = work.left.mutable_data_ptr<bool>();
  int64_t end = 0;
  for (size_t i = 0; i < params.size(); ++i) {
    auto piece = piece_of(i, params[i], grads[i], momenta[i], map);
    if (!piece) {
      left[i] = true;
      continue;
    }
    piece->end = end += piece->end;
    work.pieces.push_back(*piece);
  }
  return work;
}

double value_of(const Tensor& scalar, const char* name) {
  STD_TORCH_CHECK(scalar.is_cpu() && scalar.numel() == 1, "lionkit::step_: ", name, " must be one number on the CPU");
  switch (scalar.scalar_type()) {
    case ScalarType::Float: return *scalar.const_data_ptr<float>();
    case ScalarType::Double: return *scalar.const_data_ptr<double>();
    default: STD_TORCH_CHECK(false, "lionkit::step_: ", name, " must be float32 or float64");
  }
}

// Steps the numbers [begin, end) of all pieces laid end to end: however they are cut, each is stepped alike.
void run(const std::vector<Piece>& pieces, int64_t begin, int64_t end, const lionkit::Settings& settings) {
  auto piece = std::upper_bound(pieces.begin(), pieces.end(), begin,
                                [](int64_t number, const Piece& p) { return number < p.end; });
  for (; begin < end; ++piece) {
    const int64_t start = piece == pieces.begin() ? 0 : std::prev(piece)->end;
    const int64_t offset = begin - start, count = std::min(end, piece->end) - begin;
    piece->update(piece->param + offset * piece->param_size, piece->grad + offset * piece->param_size,
                  piece->momentum + offset * piece->momentum_size, count, settings);
    begin += count;
  }
}

// Returns what it has left to another backend; torch can trace no other kind of result than a tensor.
Tensor step_(std::vector<Tensor> params, std::vector<Tensor> grads, std::vector<Tensor> momenta, Tensor lr,
             std::string kappa, double beta1, double beta2, double weight_decay, bool maximize,
             std::optional<Tensor> grad_scale) {
  const auto work = work_of(params, grads, momenta, map_of(kappa), lr);
  const double scale = grad_scale ? value_of(*grad_scale, "grad_scale") : 1.0;
  const lionkit::Settings settings{value_of(lr, "lr"), beta1, beta2, weight_decay, (maximize ? -1.0 : 1.0) / scale};
  if (!work.pieces.empty())
    torch::stable::parallel_for(0, work.pieces.back().end, kGrain, [&](int64_t begin, int64_t end) {
      run(work.pieces, begin, end, settings);
    });
  return work.left;
}

std::string instruction_set() { return lionkit::instruction_set(); }

}  // namespace

STABLE_TORCH_LIBRARY_IMPL(lionkit, CPU, library) { library.impl("step_", TORCH_BOX(&step_)); }

STABLE_TORCH_LIBRARY_IMPL(lionkit, CompositeExplicitAutograd, library) {
  library.impl("instruction_set", TORCH_BOX(&instruction_set));
}
