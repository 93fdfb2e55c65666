#!/bin/sh
# toolkit.sh FOLDER: makes FOLDER/toolkit, a CUDA toolkit as nvcc and cudarc expect it, from wheels of the Python registry.
# Needs no GPU and no driver. Done once: a later run with the same pins does nothing. `cargo fetch` of the engine comes first.
set -eu

folder=${1:?usage: toolkit.sh FOLDER}
here=$(cd "$(dirname "$0")" && pwd -P)
mkdir -p "$folder"
folder=$(cd "$folder" && pwd -P)
home=$folder/toolkit
marker=$folder/.complete-$(cat "$here/requirements.txt" "$here/toolkit.sh" | cksum | tr ' ' '-')

if [ -e "$marker" ]; then
    echo "the CUDA toolkit is there: $home"
    exit 0
fi
cudarc=
for candidate in "${CARGO_HOME:-$HOME/.cargo}"/registry/src/*/cudarc-0.19.*; do
    if [ -d "$candidate" ]; then cudarc=$candidate; fi
done
[ -n "$cudarc" ] || {
    echo 'toolkit.sh: the source of cudarc 0.19 is missing: run "cargo fetch" in crates/engine first' >&2
    exit 1
}

rm -rf "$home" "$folder/wheels" "$folder"/.complete-*

python3 -m venv "$folder/wheels"
"$folder/wheels/bin/pip" install --disable-pip-version-check --no-input --no-deps -r "$here/requirements.txt"

# The wheels have one `lib` without unversioned names; the build scripts look for lib64/libNAME.so.
set -- "$folder"/wheels/lib/python3.*/site-packages/nvidia/cu13
source=$1
mkdir -p "$home/lib64/stubs"
cp -as "$source/bin" "$source/include" "$source/nvvm" "$home/"
for library in "$source"/lib/*; do
    if [ -f "$library" ]; then ln -s "$library" "$home/lib64/"; fi
done
ln -s lib64 "$home/lib"
for library in "$home"/lib64/*.so.*; do
    unversioned=${library%%.so.*}.so
    [ -e "$unversioned" ] || ln -s "$(basename "$library")" "$unversioned"
done

# cudarc links against the driver, which only a machine with a GPU has: a stub with the driver's names, each of which returns
# CUDA_ERROR_STUB_LIBRARY (34). It serves the linker and is never put on a library path.
{
    grep -ohE '\bcu[A-Z][A-Za-z0-9_]+' "$home/include/cuda.h"
    grep -ohE 'fn cu[A-Z][A-Za-z0-9_]+' "$cudarc/src/driver/sys/mod.rs" | sed 's/fn //'
} | LC_ALL=C sort -u | sed 's/.*/int &(void){return 34;}/' >"$home/lib64/stubs/stub.c"
cc -shared -fPIC -Wl,-soname,libcuda.so.1 -o "$home/lib64/stubs/libcuda.so" "$home/lib64/stubs/stub.c"
rm "$home/lib64/stubs/stub.c"

: >"$marker"
echo "the CUDA toolkit is made: $home"
