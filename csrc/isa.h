// One set of step functions for each instruction set, chosen when the library is loaded.
#pragma once

#include "step.h"

namespace lionkit {

// The widest instruction set that this processor has: "avx512", "avx2" or "baseline".
const char* instruction_set();

// The step of parameters of this type, or nullptr where there is none.
Step find_step(Map map, Number param);

}  // namespace lionkit
