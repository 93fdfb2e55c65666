#!/bin/sh
# Runs the second verifier with Debian's arm64 Python under qemu-user, on a Debian or Ubuntu machine of another architecture:
# there floating point would differ first. Needs apt-get, pip and no root; nothing is installed, all of it lies in FOLDER.
#
#   tests/reference/arm64.sh FOLDER LOGS     FOLDER: for downloads (110 MB); LOGS: what `random-logs` wrote
#
# The vectors are checked, and all files of LOGS are judged there and here: each line of output must be the same.
set -eu

here=$(cd "$(dirname "$0")" && pwd -P)
[ $# -eq 2 ] || { echo 'usage: tests/reference/arm64.sh FOLDER LOGS' >&2; exit 2; }
mkdir -p "$1"
folder=$(cd "$1" && pwd -P)
logs=$(cd "$2" && pwd -P)
native=${PYTHON:-python3}
root=$folder/root
export PYTHONDONTWRITEBYTECODE=1

fetch_debian() { # fetch_debian ARCHITECTURE PACKAGE...: downloads and unpacks into $root, with package lists of our own
    architecture=$1
    shift
    lists=$folder/apt-$architecture
    mkdir -p "$lists/lists/partial" "$lists/archives/partial" "$folder/$architecture" "$root"
    set -- -o Dir::State="$lists" -o Dir::State::status=/dev/null -o Dir::Cache="$lists" -o Debug::NoLocking=1 \
        -o APT::Architecture="$architecture" -o APT::Architectures="$architecture" -- "$@"
    options=''
    while [ "$1" != -- ]; do
        options="$options $1"
        shift
    done
    shift
    # shellcheck disable=SC2086 # options without spaces
    apt-get $options update -q >"$folder/apt.log" 2>&1
    # shellcheck disable=SC2086
    (cd "$folder/$architecture" && apt-get $options download "$@" >>"$folder/apt.log" 2>&1)
    for package in "$folder/$architecture"/*.deb; do dpkg -x "$package" "$root"; done
}

if [ ! -e "$folder/complete" ]; then
    version=$(apt-cache depends python3 | sed -n 's/.*Depends: python\(3\.[0-9]*\)$/\1/p' | head -n 1)
    fetch_debian "$(dpkg --print-architecture)" qemu-user-static
    fetch_debian arm64 "python$version-minimal" "libpython$version-minimal" "libpython$version-stdlib" \
        libc6 zlib1g libexpat1 libffi8 libssl3 libgcc-s1 libstdc++6 libbz2-1.0 liblzma5 libuuid1 libcrypt1
    "$native" -m pip download -q --disable-pip-version-check --dest "$folder/wheels" --only-binary=:all: \
        --platform manylinux2014_aarch64 --platform manylinux_2_28_aarch64 --implementation cp --python-version "$version" \
        --abi "cp$(echo "$version" | tr -d .)" --abi abi3 --abi none \
        -r "$here/requirements.txt"
    mkdir -p "$folder/packages"
    for wheel in "$folder"/wheels/*.whl; do "$native" -m zipfile -e "$wheel" "$folder/packages"; done
    echo "$version" >"$folder/complete"
fi

there() { # the arm64 Python
    PYTHONPATH="$folder/packages" PYTHONHOME="$root/usr" \
        "$root/usr/bin/qemu-aarch64-static" -L "$root" "$root/usr/bin/python$(cat "$folder/complete")" "$@"
}

verdicts() { # verdicts WHAT PYTHON...: one line a file, without the speed
    out=$folder/$1.jsonl
    shift
    (cd "$here" && "$@" -m symphony_reference audit --alone --json "$logs") |
        sed 's/"entries_per_second":[0-9.e+]*,//' >"$out" || true
}

there -c 'import platform, sys; print("Python", platform.python_version(), "on", platform.machine())'
there "$here/vectors.py"
started=$(date +%s)
verdicts there there
verdicts here "$native"
cmp "$folder/there.jsonl" "$folder/here.jsonl"
echo "$(wc -l <"$folder/there.jsonl") files judged alike, to the byte, in $(($(date +%s) - started)) s"
for verdict in clean exposed suspected unusable; do
    echo "  $verdict: $(grep -c "\"verdict\":\"$verdict\"" "$folder/there.jsonl" || true)"
done
