// From the operator's lists to rows of numbers.
#pragma once

#include "step.h"
#include "tensors.h"

namespace lionkit {

// The operator's lists. `scales` and `compensations` are empty, or have a tensor for each parameter: an empty one
// where there is none.
struct Lists {
  Tensors params, grads, momenta, scales, compensations;
};

// Checks one parameter and what belongs to it, and finds its loops: none where they are not rows of numbers, or no
// kernel knows their types. Raises where they do not fit each other. Nothing is written.
std::optional<Piece> piece_of(const Lists& lists, size_t index, Map map, Selection selection);

}  // namespace lionkit
