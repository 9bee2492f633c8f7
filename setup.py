"""Build the native kernel where torch and a C++ compiler are at hand; the package installs without them, too."""

import importlib.util
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext


class BuildNative(build_ext):
    """Build a library for `torch.ops.load_library`: no Python module, so no Python version in its name."""

    def get_ext_filename(self, fullname: str) -> str:
        """Name the file as `lionkit.kernels._native` looks for it; with `.so` Python would take it for a module."""
        return str(Path(*fullname.split("."))) + ".bin"

    def build_extension(self, ext: Extension) -> None:
        """Build, with no older library left in the source tree to be loaded if this fails."""
        (Path("src") / self.get_ext_filename(ext.name)).unlink(missing_ok=True)
        super().build_extension(ext)

    def get_export_symbols(self, ext: Extension) -> list[str]:
        """Export nothing by name: the library registers itself when it is loaded."""
        return []


def native() -> list[Extension]:
    """Return the kernel, built against the headers of the torch that is installed here."""
    spec = importlib.util.find_spec("torch")
    if spec is None or spec.origin is None:
        print("lionkit: no torch at build time, so no native kernel; see the README for --no-build-isolation")
        return []
    torch = Path(spec.origin).parent
    return [
        Extension(
            "lionkit._native",
            sources=sorted(map(str, Path("csrc").glob("*.cpp"))),
            depends=[*map(str, Path("csrc").glob("*")), "setup.py"],
            include_dirs=[str(torch / "include")],
            library_dirs=[str(torch / "lib")],
            libraries=["torch_cpu"],
            # The oldest torch whose stable ABI has all that is used.
            define_macros=[("TORCH_TARGET_VERSION", "0x020a000000000000")],
            extra_compile_args=[
                "-std=c++20",
                "-O3",
                "-fno-math-errno",
                "-fno-trapping-math",
                "-fopenmp-simd",  # reductions in vectors; there is no OpenMP at run time
                "-fvisibility=hidden",
                "-g0",
            ],
            language="c++",
            optional=True,  # a missing or broken compiler is a warning
        )
    ]


setup(ext_modules=native(), cmdclass={"build_ext": BuildNative})
