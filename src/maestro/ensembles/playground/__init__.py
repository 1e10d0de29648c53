"""The embedded default: in-process experts, skills, generated tasks and a mini checkpoint."""
