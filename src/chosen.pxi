# Which instruction set a module uses: included by the modules with kernels for each, since every extension module has its own
# state.

cdef int chosen = n_supported() - 1


def instruction_sets():
    """Names of the instruction sets this processor supports, the one in use last."""
    return [instruction_set_name(i).decode() for i in range(n_supported()) if i != chosen] + [
        instruction_set_name(chosen).decode()
    ]


def use(name):
    """Use the kernels of another supported instruction set from now on. Rows packed before are of no use then."""
    global chosen
    for i in range(n_supported()):
        if instruction_set_name(i).decode() == name:
            chosen = i
            return
    raise ValueError(f"instruction set {name!r} is not among {instruction_sets()}, which this processor supports.")
