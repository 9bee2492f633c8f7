// One set of step functions for each instruction set, chosen when the library is loaded.
#pragma once

#include "step.h"

namespace lionkit {

// The widest instruction set that this processor has: "avx512", "avx2" or "baseline".
const char* instruction_set();

// The loops of parameters of this type; none where there are none.
Loops find_loops(Map map, Number param, Selection selection);

}  // namespace lionkit
