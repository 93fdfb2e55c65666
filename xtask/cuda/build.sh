#!/bin/sh
# build.sh TOOLKIT_FOLDER TARGET_FOLDER MANIFEST: builds the engine with its `cuda` feature and writes
# TARGET_FOLDER/symphony-engine-cuda, which starts it with CUDA's libraries on the library path.
set -eu

toolkit_folder=${1:?usage: build.sh TOOLKIT_FOLDER TARGET_FOLDER MANIFEST}
target=$2
manifest=$3

CUDA_HOME=$toolkit_folder/toolkit
CUDA_PATH=$CUDA_HOME
NVCC=$CUDA_HOME/bin/nvcc
PATH=$CUDA_HOME/bin:$PATH # cudarc and mistralrs-quant run plain `nvcc --version`
CUDAFORGE_THREADS=${CUDAFORGE_THREADS:-$(getconf _NPROCESSORS_ONLN)}
CARGO_TARGET_DIR=$target
export CUDA_HOME CUDA_PATH NVCC PATH CUDAFORGE_THREADS CARGO_TARGET_DIR

# The kernels run on exactly this compute capability.
if [ -z "${CUDA_COMPUTE_CAP:-}" ]; then
    CUDA_COMPUTE_CAP=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader 2>/dev/null | head -n 1 | tr -d '. ') || true
    if [ -z "$CUDA_COMPUTE_CAP" ]; then
        CUDA_COMPUTE_CAP=90
        echo 'no GPU here: building for compute capability 9.0 (H100, H200); set CUDA_COMPUTE_CAP for another, such as 89'
    fi
fi
export CUDA_COMPUTE_CAP

cargo build --locked --manifest-path "$manifest" --features cuda

launcher=$target/symphony-engine-cuda
set -- "$toolkit_folder"/wheels/lib/python3.*/site-packages/nvidia/cu13/lib
cat >"$launcher.new" <<END
#!/bin/sh
LD_LIBRARY_PATH='$1'\${LD_LIBRARY_PATH:+:\$LD_LIBRARY_PATH}
export LD_LIBRARY_PATH
exec '$target/debug/symphony-engine' "\$@"
END
chmod +x "$launcher.new"
mv "$launcher.new" "$launcher"
