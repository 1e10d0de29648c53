"""A rollout server for tests: a Transformers model in a Ray actor of its own, sampled through the project's generator."""

from __future__ import annotations

from typing import Any

import ray
import torch
from verl.workers.rollout.replica import TokenOutput


@ray.remote
class ModelServer:
    """Token ids in, token ids and log-probs out, as verl's servers do. In its own process: verl patches the model's classes in its own."""

    def __init__(self, folder: str) -> None:
        torch.set_num_threads(1)
        self.load(folder)
        self.calls = 0

    def load(self, folder: str) -> None:
        """Take these weights from now on."""
        from maestro.images import ImageStore
        from maestro.policy.local import LocalPolicy

        self.images = ImageStore()
        self.policy = LocalPolicy.load(folder, self.images)

    def generate(
        self, request_id: str, prompt_ids: list[int], sampling_params: dict[str, Any], image_data: list[Any] | None
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
            temperature=sampling_params["temperature"],
            images=[policy.encoder.encode(name) for name in names],
            names=names,
        )
        (sampled,) = generator.sample([row])
        return TokenOutput(token_ids=sampled.ids, log_probs=sampled.logprobs, stop_reason="completed")

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
