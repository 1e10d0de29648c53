"""verl's agent loop, running the project's episode."""

from __future__ import annotations

from typing import Any

from verl.experimental.agent_loop.agent_loop import AgentLoopBase, AgentLoopMetrics, AgentLoopOutput

from maestro.train.verl.worker import Worker


class MaestroAgentLoop(AgentLoopBase):
    """One episode per `run`. verl makes an instance for each; what they share lives in the process's `Worker`."""

    def __init__(self, *args: Any, run: str, **kwargs: Any) -> None:
        """`run` is the run folder, whose config.yaml says everything else; every machine must see it."""
        super().__init__(*args, **kwargs)
        self.worker = Worker.of(run)

    async def run(self, sampling_params: dict[str, Any], **row: Any) -> AgentLoopOutput:
        """An episode on the row's task, as ids, mask, log-probs, pictures and reward."""
        played = await self.worker.play(self.server_manager, self.processor, sampling_params, row)
        made, episode = played.outcome, played.episode
        if len(made.prompt_ids) > (limit := self.rollout_config.prompt_length):
            raise ValueError(f"the prompt of {episode.task_id} has {len(made.prompt_ids)} tokens, verl.prompt_tokens is {limit}")
        return AgentLoopOutput(
            prompt_ids=made.prompt_ids,
            response_ids=made.response_ids,
            response_mask=made.response_mask,
            response_logprobs=made.response_logprobs,
            multi_modal_data={"images": played.pictures} if played.pictures else {},
            reward_score=made.reward_score,
            num_turns=1 + len(episode.turns),
            metrics=AgentLoopMetrics.model_validate(played.seconds),
            extra_fields={
                "reward_extra_info": dict(made.numbers),
                "turn_scores": [],
                "tool_rewards": [],
                "min_global_steps": played.versions[0],
                "max_global_steps": played.versions[1],
            },
        )
