# Which of INSTRUCTION_SETS a module uses: included by those that have one, since each extension module has its own state.

cdef int chosen = n_supported() - 1


def instruction_sets():
    """Names of the instruction sets this processor supports, the one in use last."""
    return [INSTRUCTION_SETS[i].name.decode() for i in range(n_supported()) if i != chosen] + [
        INSTRUCTION_SETS[chosen].name.decode()
    ]


def use(name):
    """Use the kernels of another supported instruction set from now on. Rows packed before are of no use then."""
    global chosen
    for i in range(n_supported()):
        if INSTRUCTION_SETS[i].name.decode() == name:
            chosen = i
            return
    raise ValueError(f"instruction set {name!r} is not among {instruction_sets()}, which this processor supports.")
