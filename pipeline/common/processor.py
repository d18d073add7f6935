"""Processor: the same bits on every x86-64 processor with AVX2.

OpenBLAS and NumPy contain several versions of each loop and use the widest one that the processor supports. These versions add
numbers in different orders, so that the last digits differ, and after a training all digits do. `pin` chooses the version:
OpenBLAS's Haswell kernels (AVX2 and FMA) in NumPy and in SciPy, and no NumPy loop wider than AVX2. Both libraries read the
environment once, when they are loaded: `pipeline/__init__.py` calls `pin` before any module of the project imports NumPy.
Processes that a command starts inherit the choice. `pin` overrules the environment, unless HANDPRINT_NATIVE=1 leaves the choice
to the processor.
"""

import os
import platform
import sys
from importlib.metadata import version
from pathlib import Path

NATIVE = "HANDPRINT_NATIVE"
KERNELS = "Haswell"
WIDER = "X86_V4 AVX512_ICL AVX512_SPR"  # NumPy's names for its loops beyond AVX2
WIDER_BEFORE_2_4 = "AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL AVX512_SPR"

_state = "native"


def pin() -> None:
    """Choose the kernels for this process and those it starts; without effect on other processors."""
    global _state
    if os.environ.get(NATIVE, "0") not in ("", "0"):
        _state = f"native ({NATIVE} is set)"
    elif not has_avx2():
        _state = f"native ({platform.machine()} without AVX2: the last digits may differ from those of other machines)"
    else:
        recent = tuple(map(int, version("numpy").split(".")[:2])) >= (2, 4)
        wanted = {"OPENBLAS_CORETYPE": KERNELS, "NPY_DISABLE_CPU_FEATURES": WIDER if recent else WIDER_BEFORE_2_4}
        late = "numpy" in sys.modules and any(os.environ.get(key) != value for key, value in wanted.items())
        os.environ.pop("NPY_ENABLE_CPU_FEATURES", None)  # NumPy refuses to have both
        os.environ.update(wanted)
        _state = "native (NumPy was loaded before)" if late else f"{KERNELS}, AVX2"


def kernels() -> str:
    """The kernels in use, in words: `Haswell, AVX2`, or `native` and the reason."""
    return _state


def has_avx2() -> bool:
    """Whether this is an x86-64 processor with AVX2."""
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return False
    if sys.platform == "linux":
        return " avx2 " in Path("/proc/cpuinfo").read_text(encoding="utf-8")
    if sys.platform == "win32":
        import ctypes

        return bool(ctypes.windll.kernel32.IsProcessorFeaturePresent(40))  # PF_AVX2_INSTRUCTIONS_AVAILABLE
    import subprocess

    return subprocess.run(["sysctl", "-n", "hw.optional.avx2_0"], capture_output=True, text=True).stdout.strip() == "1"
