#!/bin/sh
# Installs NVIDIA's CUDA 13.0 compiler and libraries from the Python registry into one folder, and makes the layout that
# the engine's build expects. Needs no root, no GPU and no driver. Usage:
#
#   crates/engine/install-cuda-toolkit.sh FOLDER
#   . FOLDER/environment.sh
#   cargo build --manifest-path crates/engine/Cargo.toml --features cuda
#
# A second run with the same pins installs nothing. Needs about 1.3 GB of disk. PIP_INDEX_URL and the other settings of
# pip are respected. CUDA_COMPUTE_CAP (default: that of the GPU here, else 90) is the GPU generation to build for.
#
# Why 13.0: the driver compiles PTX at start, and a driver of the 580 series refuses the PTX of a newer compiler.
set -eu

fail() {
    printf 'install-cuda-toolkit: %s\n' "$1" >&2
    exit 1
}

[ $# -eq 1 ] || fail "usage: install-cuda-toolkit.sh FOLDER"
[ "$(uname -s)" = Linux ] || fail "CUDA toolkits are installed on Linux only; this is $(uname -s)"
case $(uname -m) in
    x86_64 | aarch64) ;;
    *) fail "NVIDIA publishes no compiler for $(uname -m)" ;;
esac
for tool in python3 gcc cargo; do
    command -v "$tool" >/dev/null 2>&1 || fail "$tool is not installed"
done

mkdir -p "$1"
folder=$(cd "$1" && pwd)
engine=$(cd "$(dirname "$0")" && pwd)
venv=$folder/venv
home=$folder/toolkit

pins='nvidia-cuda-nvcc==13.0.88
nvidia-nvvm==13.0.88
nvidia-cuda-crt==13.0.88
nvidia-cuda-runtime==13.0.96
nvidia-cuda-cccl==13.0.85
nvidia-cuda-nvrtc==13.0.88
nvidia-cuda-profiler-api==13.0.85
nvidia-curand==10.4.0.35
nvidia-cublas==13.1.0.3'

capability() {
    if [ -n "${CUDA_COMPUTE_CAP:-}" ]; then
        printf '%s\n' "$CUDA_COMPUTE_CAP"
    elif command -v nvidia-smi >/dev/null 2>&1 && found=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader 2>/dev/null); then
        printf '%s\n' "$found" | head -n 1 | tr -d '. '
    else
        printf '90\n'
    fi
}

# Written last in each run, so that an interrupted one is repeated.
stamp=$folder/installed
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$pins" ] && [ -x "$home/bin/nvcc" ]; then
    printf 'install-cuda-toolkit: already installed in %s\n' "$folder" >&2
else
    rm -rf "$stamp" "$home"
    printf 'install-cuda-toolkit: 1 of 3: wheels (1.2 GB)\n' >&2
    [ -x "$venv/bin/python" ] || python3 -m venv "$venv" || fail "python3 cannot make a virtual environment (Debian: apt-get install python3-venv)"
    printf '%s\n' "$pins" >"$folder/requirements.txt"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps -r "$folder/requirements.txt" >&2

    printf 'install-cuda-toolkit: 2 of 3: layout\n' >&2
    site=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
    wheels=$site/nvidia/cu13
    [ -x "$wheels/bin/nvcc" ] || fail "the wheels hold no compiler at $wheels/bin/nvcc"
    mkdir -p "$home/lib64/stubs"
    # Links: nvcc finds its parts through them.
    cp -as "$wheels/bin" "$wheels/include" "$wheels/nvvm" "$home/"
    for file in "$wheels"/lib/*; do
        if [ -f "$file" ]; then ln -s "$file" "$home/lib64/"; fi
    done
    ln -s lib64 "$home/lib"
    # The wheels have libNAME.so.N only; the linker asks for libNAME.so.
    for file in "$home"/lib64/*.so.*; do
        plain=${file%%.so.*}.so
        [ -e "$plain" ] || ln -s "$(basename "$file")" "$plain"
    done

    printf 'install-cuda-toolkit: 3 of 3: driver stub\n' >&2
    # cudarc links -lcuda, which only a driver brings. The stub satisfies the linker; every function answers 34, CUDA_ERROR_STUB_LIBRARY.
    cargo fetch --quiet --manifest-path "$engine/Cargo.toml" >&2
    bindings=
    for candidate in "${CARGO_HOME:-$HOME/.cargo}"/registry/src/*/cudarc-0.19.*/src/driver/sys/mod.rs; do
        if [ -f "$candidate" ]; then bindings=$candidate; fi
    done
    [ -n "$bindings" ] || fail "the source of cudarc 0.19 is not in the cargo registry"
    {
        grep -ohE '\bcu[A-Z][A-Za-z0-9_]+' "$home/include/cuda.h"
        grep -ohE 'fn cu[A-Z][A-Za-z0-9_]+' "$bindings" | sed 's/fn //'
    } | sort -u | sed 's/.*/int &(void){return 34;}/' >"$folder/stub.c"
    gcc -shared -fPIC -Wl,-soname,libcuda.so.1 -o "$home/lib64/stubs/libcuda.so" "$folder/stub.c"
    rm "$folder/stub.c"
    printf '%s\n' "$pins" >"$stamp"
fi

# CUDAFORGE_THREADS: the build of the kernels takes half the cores by default. LD_LIBRARY_PATH holds no stub: it would hide the driver.
cat >"$folder/environment.sh" <<END
export CUDA_HOME='$home' CUDA_PATH='$home' NVCC='$home/bin/nvcc'
export PATH='$home/bin':"\$PATH"
export CUDA_COMPUTE_CAP='$(capability)' CUDAFORGE_THREADS='$(nproc)'
export LIBRARY_PATH='$home/lib64:$home/lib64/stubs'"\${LIBRARY_PATH:+:\$LIBRARY_PATH}"
export LD_LIBRARY_PATH='$home/lib64'"\${LD_LIBRARY_PATH:+:\$LD_LIBRARY_PATH}"
END
printf '%s\n' "$folder/environment.sh"
