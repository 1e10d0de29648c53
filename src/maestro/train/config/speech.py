"""How a policy that is trained speaks: dialect, history, token limits."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from maestro.config import Config
from maestro.policy.options import TokenOptions
from maestro.tasks.wrapping import SYSTEM_SHA256


class SpeechConfig(Config):
    """Dialect and token limits of a loaded policy; the folder that a run hands over says the same, so that it is loaded alike."""

    dialect: Literal["maestro", "maestro-4b"] | None = None
    """None: what the checkpoint's vocabulary, its folder or the registry says."""
    history: Literal["original", "whole"] | None = None
    """`maestro-4b`: `whole` keeps every sampled id, so that every episode can be trained on; `original` drops most thoughts, and what
    follows a dropped one is left out of training. None: what the folder says, else `whole`."""
    prompt: Path | None = None
    """`maestro-4b`: a file with the original system text. None: our own text, rendered from the registry."""
    prompt_sha256: str = SYSTEM_SHA256
    max_new_tokens: int | None = Field(default=None, ge=1)
    """Of one decision. None: the folder's, else the dialect's (`maestro` 96, `maestro-4b` 8192)."""
    max_tokens: int | None = Field(default=None, ge=64)
    """Of an episode's whole row. None: the folder's, else the dialect's (1024, 16384)."""
    observation_tokens: int | None = Field(default=None, ge=8)
    """Of one observation. None: the folder's, else the dialect's (128, 1024)."""

    @property
    def options(self) -> TokenOptions:
        """The same as options of a policy; what is left open stays unset."""
        given = {name: getattr(self, name) for name in self.model_fields_set if getattr(self, name) is not None}
        return TokenOptions.model_validate({**given, **({"prompt": str(self.prompt)} if self.prompt else {})})
