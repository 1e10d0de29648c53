"""What a checkpoint's folder says of how its policy was trained to speak, so that it is loaded the same way.

Weights and tokenizer do not tell in which dialect, over which history and within which limits a policy was trained. A run that
hands over a policy writes it beside them; what a user asks for stands before it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import orjson
from pydantic import ValidationError

from maestro.errors import CheckpointError
from maestro.policy.options import TokenOptions

SPOKEN = "maestro.json"
"""The file, an object of options as in `TokenOptions`."""

Options = TypeVar("Options", bound=TokenOptions)


def write_spoken(folder: Path, options: TokenOptions) -> None:
    """Write what of the options is not left open."""
    said = options.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    (folder / SPOKEN).write_bytes(orjson.dumps(said, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS))


def spoken(folder: Path, options: Options) -> Options:
    """The options given, and where they leave something open what the folder says. Raises CheckpointError for a damaged file.

    The history belongs to the dialect: who asks for another dialect than the folder's gets none of what it says.
    """
    file = folder / SPOKEN
    if not file.is_file():
        return options
    try:
        said = TokenOptions.model_validate(orjson.loads(file.read_bytes()))
    except (orjson.JSONDecodeError, ValidationError) as error:
        raise CheckpointError(
            f"{file} cannot be read ({error}). Remove it, and name the dialect with ?dialect= behind the folder."
        ) from error
    if options.dialect is not None and options.dialect != said.dialect:
        return options
    given = {name: getattr(options, name) for name in options.model_fields_set}
    return type(options).model_validate({**said.model_dump(exclude_unset=True), **given})
