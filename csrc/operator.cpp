// The operator lionkit::step_: its arguments, the split of the work over threads, and the registration with torch.
//
// Built against torch's stable ABI: the one binary serves every torch from 2.10 on.

#include <torch/csrc/stable/library.h>
#include <torch/csrc/stable/ops.h>

#include <string>

#include "isa.h"
#include "pieces.h"

namespace {

using namespace lionkit;
using torch::headeronly::ScalarType;
using torch::stable::Tensor;

// Fewer numbers than this are not worth a second thread: about 10 us of work.
constexpr int64_t kGrain = 32768;

struct Work {
  std::vector<Piece> pieces;
  Tensor left;  // bool, one a parameter: it is left to another backend
};

Work work_of(const Lists& lists, Map map, const Tensor& like) {
  const size_t size = lists.params.size();
  STD_TORCH_CHECK(size == lists.grads.size() && size == lists.momenta.size(), "lionkit::step_: got ", size,
                  " parameters, ", lists.grads.size(), " gradients and ", lists.momenta.size(), " momenta");
  for (const auto* optional : {&lists.scales, &lists.compensations})
    STD_TORCH_CHECK(optional->size() == 0 || optional->size() == size, "lionkit::step_: got ", size, " parameters and ",
                    optional->size(), optional == &lists.scales ? " scales" : " compensations");
  Work work{{}, torch::stable::new_zeros(like, {int64_t(size)}, ScalarType::Bool)};
  work.pieces.reserve(size);
  bool* left = work.left.mutable_data_ptr<bool>();
  int64_t end = 0, num_blocks = 0;
  for (size_t i = 0; i < size; ++i) {
    auto piece = piece_of(lists, i, map);
    left[i] = !piece;
    if (!piece) continue;
    piece->end = end += piece->numel;
    piece->first_block = num_blocks;
    num_blocks += (piece->numel + kBlock - 1) / kBlock;
    work.pieces.push_back(*piece);
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

// Steps the blocks whose first number is among [begin, end) of all pieces laid end to end: however they are shared
// out, a block is stepped and measured alike.
void run(const std::vector<Piece>& pieces, int64_t begin, int64_t end, const Settings& settings, Sums* sums) {
  auto piece = std::upper_bound(pieces.begin(), pieces.end(), begin,
                                [](int64_t number, const Piece& p) { return number < p.end; });
  for (; piece != pieces.end() && piece->end - piece->numel < end; ++piece) {
    const int64_t start = piece->end - piece->numel;
    int64_t block = (std::max(begin - start, int64_t(0)) + kBlock - 1) / kBlock;
    for (; block * kBlock < std::min(piece->numel, end - start); ++block)
      piece->step(*piece, block * kBlock, std::min(kBlock, piece->numel - block * kBlock), settings,
                  sums == nullptr ? nullptr : &sums[piece->first_block + block]);
  }
}

void run_all(const std::vector<Piece>& pieces, const Settings& settings, double* statistics) {
  Sums total;
  if (!pieces.empty()) {
    const Piece& last = pieces.back();
    std::vector<Sums> sums(statistics == nullptr ? 0 : last.first_block + (last.numel + kBlock - 1) / kBlock);
    torch::stable::parallel_for(0, last.end, kGrain, [&](int64_t begin, int64_t end) {
      run(pieces, begin, end, settings, statistics == nullptr ? nullptr : sums.data());
    });
    for (const Sums& block : sums) total.add(block);
  }
  if (statistics != nullptr) std::memcpy(statistics, &total, sizeof total);
}

// Returns what it has left to another backend; torch can trace no other kind of result than a tensor.
Tensor step_(std::vector<Handle> params, std::vector<Handle> grads, std::vector<Handle> momenta,
             std::vector<Handle> scales, std::vector<Handle> compensations, Tensor lr, std::string kappa,
             double kappa_parameter, double beta1, double beta2, double weight_decay, bool maximize, bool stochastic, int64_t noise,
             std::optional<Tensor> grad_scale, std::optional<Tensor> statistics) {
  const Lists lists{Tensors(std::move(params)), Tensors(std::move(grads)), Tensors(std::move(momenta)),
                    Tensors(std::move(scales)), Tensors(std::move(compensations))};
  double* sums = sums_of(statistics);
  const double scale = grad_scale ? value_of(*grad_scale, "grad_scale") : 1.0;
  const Settings settings{kappa_parameter, value_of(lr, "lr"), beta1, beta2, weight_decay, (maximize ? -1.0 : 1.0) / scale,
                          stochastic, uint64_t(noise)};
  const auto work = work_of(lists, map_of(kappa), lr);
  run_all(work.pieces, settings, sums);
  return work.left;
}

std::string instruction_set_name() { return instruction_set(); }

}  // namespace

STABLE_TORCH_LIBRARY_IMPL(lionkit, CPU, library) { library.impl("step_", TORCH_BOX(&step_)); }

STABLE_TORCH_LIBRARY_IMPL(lionkit, CompositeExplicitAutograd, library) {
  library.impl("instruction_set", TORCH_BOX(&instruction_set_name));
}
