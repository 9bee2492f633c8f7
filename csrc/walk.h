// How a step is shared out over threads.
#pragma once

#include <vector>

#include "step.h"

namespace lionkit {

// Steps all pieces, in any order, and returns the sums of the step where it is `measured`: a block is counted, stepped
// and measured alike for any number of threads.
Sums walk(std::vector<Piece>& pieces, const Settings& settings, bool measured);

}  // namespace lionkit
