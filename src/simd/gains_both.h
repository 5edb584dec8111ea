/* Template, included by instruction_sets.h for double: what each of eight candidate centers would gain, for rows of either type. */
#define ROW float
#define GAINS NAME(gains_of_float)
#include "gains.h"
#undef ROW
#undef GAINS
#define ROW double
#define GAINS NAME(gains_of_double)
#include "gains.h"
#undef ROW
#undef GAINS
