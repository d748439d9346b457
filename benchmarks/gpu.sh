#!/bin/sh
# Everything that only a GPU can show, in one command: does it match the CPU, how fast, how much memory.
#
#   sh benchmarks/gpu.sh OUT             on a machine with an NVIDIA card and a torch that drives it
#   WHEELS=DIR sh benchmarks/gpu.sh OUT  first installs the wheels in DIR, without a network
#   DEVICE=cpu SHAPES=toy sh benchmarks/gpu.sh OUT   to see that the script itself works
#
# Leaves OUT/gpu.md, to be kept as benchmarks/results/<date>-<card>.md. Models have random weights in the
# published sizes: nothing is downloaded.
set -eu
out=${1:?usage: gpu.sh OUT}
DEVICE=${DEVICE:-cuda:0}
SHAPES=${SHAPES:-toy 0.6b 1.7b}
PYTHON=${PYTHON:-python3}
export HF_HUB_OFFLINE=1 TOKENIZERS_PARALLELISM=false
cd "$(dirname "$0")/.."
mkdir -p "$out"
report=$out/gpu.md
if [ -n "${WHEELS:-}" ]; then
    "$PYTHON" -m pip install -q --no-index --no-deps --find-links "$WHEELS" "$WHEELS"/*.whl
fi
part() {
    title=$1
    shift
    printf '\n## %s\n\n`%s`\n\n' "$title" "$*" >>"$report"
    "$@" >>"$report" 2>"$out/error.log" || { printf 'failed:\n\n```\n' && tail -n 20 "$out/error.log" && printf '```\n'; } >>"$report"
}
{
    printf '# Training, memory and extraction on a GPU\n\n%s\n\n' "$(date -u +%Y-%m-%d)"
    command -v nvidia-smi >/dev/null && nvidia-smi --query-gpu=name,memory.total,driver_version --format=csv,noheader
    "$PYTHON" -c 'import platform, torch, transformers; print("Python", platform.python_version(), "· torch", torch.__version__, "· transformers", transformers.__version__)'
} >"$report"
part "The same losses as on the CPU" "$PYTHON" -m benchmarks.gpu --device "$DEVICE"
for shape in $SHAPES; do
    part "Training, $shape, real clips" "$PYTHON" -m benchmarks.training --shape "$shape" --device "$DEVICE" --share 0.125
    part "Training, $shape, 400 clips of 6 s" "$PYTHON" -m benchmarks.training --shape "$shape" --device "$DEVICE" \
        --clips 400 --seconds 6 --steps 20 --share 0.125
done
cat "$report"
