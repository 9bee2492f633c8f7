// The operator lionkit::step_: its arguments, and the registration with torch.
//
// Built against torch's stable ABI: the one binary serves every torch from 2.10 on.

#include <torch/csrc/stable/library.h>
#include <torch/csrc/stable/ops.h>

#include <string>

#include "isa.h"
#include "pieces.h"
#include "walk.h"

namespace {

using namespace lionkit;
using torch::headeronly::ScalarType;
using torch::stable::Tensor;

struct Work {
  std::vector<Piece> pieces;
  Tensor left;  // bool, one a parameter: it is left to another backend
};

Work work_of(const Lists& lists, Map map, Selection selection, const Tensor& like) {
  const size_t size = lists.params.size();
  STD_TORCH_CHECK(size == lists.grads.size() && size == lists.momenta.size(), "lionkit::step_: got ", size,
                  " parameters, ", lists.grads.size(), " gradients and ", lists.momenta.size(), " momenta");
  for (const auto* optional : {&lists.scales, &lists.compensations})
    STD_TORCH_CHECK(optional->size() == 0 || optional->size() == size, "lionkit::step_: got ", size, " parameters and ",
                    optional->size(), optional == &lists.scales ? " scales" : " compensations");
  Work work{{}, torch::stable::new_zeros(like, {int64_t(size)}, ScalarType::Bool)};
  work.pieces.reserve(size);
  bool* left = work.left.mutable_data_ptr<bool>();
  for (size_t i = 0; i < size; ++i) {
    const auto piece = piece_of(lists, i, map, selection);
    left[i] = !piece;
    if (piece) work.pieces.push_back(*piece);
  }
  return work;
}

Map map_of(const std::string& kappa) {
  static const std::pair<const char*, Map> known[] = {
      {"sign", Map::Sign},         {"identity", Map::Identity},         {"huber", Map::Huber},
      {"truncated_l1", Map::TruncatedL1}, {"cautious", Map::Cautious}, {"relativistic", Map::Relativistic},
      {"entropy", Map::Entropy},   {"arctan", Map::Arctan},
  };
  std::string names;
  for (const auto& [name, map] : known) {
    if (kappa == name) return map;
    names += std::string(names.empty() ? "" : ", ") + name;
  }
  STD_TORCH_CHECK(false, "lionkit::step_: kappa is \"", kappa, "\", it must be one of ", names);
}

double value_of(const Tensor& scalar, const char* name) {
  STD_TORCH_CHECK(scalar.is_cpu() && scalar.numel() == 1, "lionkit::step_: ", name, " must be one number on the CPU");
  switch (scalar.scalar_type()) {
    case ScalarType::Float: return *scalar.const_data_ptr<float>();
    case ScalarType::Double: return *scalar.const_data_ptr<double>();
    default: STD_TORCH_CHECK(false, "lionkit::step_: ", name, " must be float32 or float64");
  }
}

double* sums_of(const std::optional<Tensor>& statistics) {
  if (!statistics) return nullptr;
  STD_TORCH_CHECK(statistics->is_cpu() && statistics->is_contiguous() && statistics->numel() == kNumSums &&
                  statistics->scalar_type() == ScalarType::Double,
                  "lionkit::step_: statistics must be ", kNumSums, " numbers of float64 on the CPU");
  return statistics->mutable_data_ptr<double>();
}

// Returns what it has left to another backend; torch can trace no other kind of result than a tensor.
Tensor step_(std::vector<Handle> params, std::vector<Handle> grads, std::vector<Handle> momenta,
             std::vector<Handle> scales, std::vector<Handle> compensations, Tensor lr, std::string kappa,
             double kappa_parameter, double beta1, double beta2, double weight_decay, bool cautious,
             std::optional<double> mask_offset, double mask_least, bool maximize, bool stochastic, int64_t noise,
             std::optional<Tensor> grad_scale, std::optional<Tensor> statistics) {
  const Lists lists{Tensors(std::move(params)), Tensors(std::move(grads)), Tensors(std::move(momenta)),
                    Tensors(std::move(scales)), Tensors(std::move(compensations))};
  double* sums = sums_of(statistics);
  const double scale = grad_scale ? value_of(*grad_scale, "grad_scale") : 1.0;
  const Settings settings{kappa_parameter, value_of(lr, "lr"), beta1, beta2, weight_decay,
                          (maximize ? -1.0 : 1.0) / scale, cautious, mask_offset.has_value(), mask_offset.value_or(0),
                          mask_least, stochastic, uint64_t(noise)};
  const Selection selection = mask_offset ? Selection::Mask : cautious ? Selection::Decay : Selection::None;
  auto work = work_of(lists, map_of(kappa), selection, lr);
  const Sums total = walk(work.pieces, settings, sums != nullptr);
  if (sums != nullptr) std::memcpy(sums, &total, sizeof total);
  return work.left;
}

std::string instruction_set_name() { return instruction_set(); }

}  // namespace

STABLE_TORCH_LIBRARY_IMPL(lionkit, CPU, library) { library.impl("step_", TORCH_BOX(&step_)); }

STABLE_TORCH_LIBRARY_IMPL(lionkit, CompositeExplicitAutograd, library) {
  library.impl("instruction_set", TORCH_BOX(&instruction_set_name));
}
