// What one step is told, what it walks over, and what it measures on the way.
#pragma once

#include <algorithm>
#include <cmath>

#include "numbers.h"

namespace lionkit {

// Work is cut into blocks of so many numbers of one parameter. Sums are taken a block at a time and then in the order
// of the blocks, so that they have the same bits for any number of threads.
constexpr int64_t kBlock = 4096;

// The gradient map of an elementwise kappa.
enum class Map { Sign, Identity, Huber, TruncatedL1, Cautious, Relativistic, Entropy, Arctan };

struct Settings {
  double kappa_parameter, lr, beta1, beta2, weight_decay;
  double grad_factor;  // 1 / grad_scale, negative to ascend
  bool cautious;       // only weights decay that the step moves towards 0
  bool masked;         // only coordinates move whose direction agrees with the gradient
  double mask_offset, mask_least;  // they make up for the others: see `Piece::mask_factor`
  bool stochastic;     // how bfloat16 weights are rounded
  uint64_t noise;      // the key of this step's noise
};

// The sums of a step over some numbers, in the order of `lionkit.kernels.SUMS`, at the state before the write.
struct Sums {
  double grad_l1 = 0, grad_sq = 0, c_l1 = 0, theta_c = 0, theta_m = 0, momentum_l1 = 0, theta_max = 0, num_zero = 0,
         num_agree = 0, num_on_box = 0, c_min = INFINITY, numel = 0;

  void add(const Sums& other) {
    grad_l1 += other.grad_l1;
    grad_sq += other.grad_sq;
    c_l1 += other.c_l1;
    theta_c += other.theta_c;
    theta_m += other.theta_m;
    momentum_l1 += other.momentum_l1;
    theta_max = other.theta_max > theta_max || other.theta_max != other.theta_max ? other.theta_max : theta_max;
    num_zero += other.num_zero;
    num_agree += other.num_agree;
    num_on_box += other.num_on_box;
    c_min = std::min(c_min, other.c_min);
    numel += other.numel;
  }
};
constexpr int64_t kNumSums = sizeof(Sums) / sizeof(double);

struct Piece;
// Steps the numbers [begin, begin + count) of a parameter, at most a block; measures them first where there are `sums`.
using Step = void (*)(const Piece&, int64_t begin, int64_t count, const Settings&, Sums* sums);
// Comes before a masked step of any number of the parameter, and returns how many directions agree with the gradient.
using Survey = int64_t (*)(const Piece&, int64_t begin, int64_t count, const Settings&, Sums* sums);

// Which coordinates a step is for: all; all but for the decay of some; those whose direction agrees with the gradient,
// with the decay of all or some.
enum class Selection { None, Decay, Mask };

struct Loops {
  Survey survey = nullptr;
  Step step = nullptr;
  bool marks = false;  // the survey leaves marks to the step
};

constexpr int64_t kMarksPerByte = 4;

// One parameter and what belongs to it, each a row of numbers without gaps.
struct Piece {
  char* param;
  const char* grad;
  char* momentum;        // numbers, or codes
  BFloat16* units;       // of the codes
  char* compensation;    // in the parameter's type, or nullptr
  Number momentum_number;
  int64_t momentum_bits; // a number
  uint64_t position;     // in the list of parameters: with the place in the parameter it makes the noise
  int64_t numel;
  int64_t end;           // numbers in this and all earlier pieces
  int64_t first_block;   // blocks in all earlier pieces
  Loops loops;
  uint8_t* marks = nullptr;
  int64_t num_agree = 0; // of all its numbers

  // What a masked direction is multiplied by, as src/lionkit/kernels/_mask.py has it.
  double mask_factor(const Settings& settings) const {
    const double n = double(numel);
    return n / std::max(double(num_agree) + settings.mask_offset, settings.mask_least * n);
  }
};

}  // namespace lionkit
