"""The only door to compiled code: each src/NAME.pyx is the module ckmeans._kernels.NAME."""
