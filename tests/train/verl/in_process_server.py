"""A rollout server for tests: a Transformers model in a Ray actor of its own, sampled through the project's generator.

Registered with verl as the rollout `processor`, so that verl's own trainer starts it, sleeps and wakes it, and gives it weights.
"""

from __future__ import annotations

from typing import Any

import ray
import torch
from verl.workers.rollout.base import BaseRollout
from verl.workers.rollout.replica import RolloutReplica, TokenOutput


@ray.remote
class ModelServer:
    """Token ids in, token ids and log-probs out, as verl's servers do. In its own process: verl patches the model's classes in its own."""

    def __init__(self, folder: str) -> None:
        from maestro.images import ImageStore
        from maestro.policy.local import LocalPolicy

        torch.set_num_threads(1)
        self.images = ImageStore()
        self.policy = LocalPolicy.load(folder, self.images)
        self.version: int | None = None
        self.calls = 0

    def load(self, weights: dict[str, Any], version: int | None) -> list[str]:
        """Take these weights from now on; returns the names of those that it has and did not get."""
        tensors = {name: torch.from_numpy(array) for name, array in weights.items()}
        missing, unexpected = self.policy.model.load_state_dict(tensors, strict=False)
        if unexpected:
            raise RuntimeError(f"weights that the policy has no place for: {unexpected}")
        self.version = version
        return list(missing)

    def sleep(self, **_: Any) -> None:
        """Nothing to free."""

    def wake_up(self, **_: Any) -> None:
        """Nothing to load."""

    def generate(
        self, request_id: str, prompt_ids: list[int], sampling_params: dict[str, Any], image_data: list[Any] | None, **_: Any
    ) -> TokenOutput:
        """One generation, drawn from a generator seeded by its number."""
        from maestro.policy.local_generate import Generator, Row

        self.calls += 1
        policy, tokenizer = self.policy, self.policy.tokenizer
        stops = [tokenizer.encode(text, add_special_tokens=False)[0] for text in sampling_params["stop"]]
        generator = Generator(policy.model, [*stops, tokenizer.eos_token_id], sorted(sampling_params["logit_bias"]))
        names = tuple(self.images.put(picture) for picture in image_data or ())
        uniforms = torch.rand(sampling_params["max_tokens"], dtype=torch.float64, generator=torch.Generator().manual_seed(self.calls))
        row = Row(
            ids=prompt_ids,
            uniforms=uniforms,
            temperature=sampling_params["temperature"] or 1.0,
            greedy=sampling_params["temperature"] == 0,
            images=[policy.encoder.encode(name) for name in names],
            names=names,
        )
        (sampled,) = generator.sample([row])
        fields = {} if self.version is None else {"global_steps": self.version}
        return TokenOutput(token_ids=sampled.ids, log_probs=sampled.logprobs, stop_reason="completed", extra_fields=fields)

    def logprobs(self, prompt_ids: list[int], response_ids: list[int], image_data: list[Any]) -> list[float]:
        """Log-probs of a response under the model as it is, by a plain forward pass."""
        names = [self.images.put(picture) for picture in image_data]
        ids = torch.tensor([[*prompt_ids, *response_ids]])
        kinds = (ids == self.policy.model.config.image_token_id).int()
        with torch.no_grad():
            logits = self.policy.model(input_ids=ids, mm_token_type_ids=kinds, **self.policy.image_inputs(names)).logits[0].float()
        scored = logits.log_softmax(-1)[len(prompt_ids) - 1 : -1]
        return scored[torch.arange(len(response_ids)), torch.tensor(response_ids)].tolist()


class Client:
    """What the agent loop worker holds: verl's client, as far as an episode uses it."""

    def __init__(self, server: Any) -> None:
        self.server = server

    async def generate(self, request_id: str, *, prompt_ids, sampling_params, image_data=None, **_: Any) -> TokenOutput:
        return await self.server.generate.remote(request_id, prompt_ids, sampling_params, image_data)


def server_name(replica: int) -> str:
    return f"processor-server-{replica}"


def arrays(weights: Any) -> dict[str, Any]:
    """An engine's weights, whole and movable."""
    return {name: (tensor.full_tensor() if hasattr(tensor, "full_tensor") else tensor).detach().numpy() for name, tensor in weights}


class ProcessorReplica(RolloutReplica):
    """How verl starts the server."""

    async def launch_servers(self) -> None:
        server = ModelServer.options(name=server_name(self.replica_rank), num_cpus=0).remote(self.model_config.path)
        self.servers, self._server_handle, self._server_address = [server], server, server_name(self.replica_rank)


class ProcessorRollout(BaseRollout):
    """How verl's training worker reaches the server."""

    async def resume(self, tags: list[str]) -> None:
        """Nothing was freed."""

    async def release(self) -> None:
        """Nothing to free."""

    async def update_weights(self, weights: Any, global_steps: int | None = None, **_: Any) -> None:
        missing = await ray.get_actor(server_name(0)).load.remote(arrays(weights), global_steps)
        if any("lm_head" not in name for name in missing):
            raise RuntimeError(f"weights that the policy did not get: {missing}")
