"""The ensemble of the Maestro-4B checkpoint: five served experts, three helpers, five skills."""
