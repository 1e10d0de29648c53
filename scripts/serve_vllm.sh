#!/bin/sh
# Serves a checkpoint folder with vLLM on this machine's processor, for tests and tiny models; on a graphics card use vLLM's own package.
#
#   sh scripts/serve_vllm.sh ENVIRONMENT FOLDER PORT [FURTHER OPTIONS OF THE SERVER]
#
# `vllm serve` fails with this wheel, because it is not called vllm; the module behind it works. --enable-scale-out adds the endpoint that
# takes and gives token ids with images, which the policy `served` needs.
set -eu
environment=$1 folder=$2 port=$3
shift 3
: "${VLLM_CPU_KVCACHE_SPACE:=1}" "${VLLM_CPU_OMP_THREADS_BIND:=nobind}" "${OMP_NUM_THREADS:=1}"
export VLLM_CPU_KVCACHE_SPACE VLLM_CPU_OMP_THREADS_BIND OMP_NUM_THREADS HF_HUB_OFFLINE=1 VLLM_NO_USAGE_STATS=1
exec "$environment/bin/python" -m vllm.entrypoints.openai.api_server --host 127.0.0.1 --port "$port" --model "$folder" \
    --enable-scale-out --dtype float32 --enforce-eager --max-model-len 2048 "$@"
