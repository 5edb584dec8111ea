/* Ends the inclusion of a template by sets.h. */
#undef NAME
#undef REAL
#undef VEC
#undef W
#undef LOAD
#undef STORE
#undef SET1
#undef FNMA
#undef MIN
#undef MAX
#undef IF_LESS
#undef REDUCE_MIN
#undef ADD
#undef MUL
#undef DIV
#undef FMA
#undef POWER
