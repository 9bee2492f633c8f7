// One set of update functions for each instruction set, chosen when the library is loaded.
#pragma once

#include "numbers.h"

namespace lionkit {

enum class Map { Sign, Identity };

// The widest instruction set that this processor has: "avx512", "avx2" or "baseline".
const char* instruction_set();

// The update for these types, or nullptr where there is none.
Update find_update(Map map, Number param, Number momentum);

}  // namespace lionkit
