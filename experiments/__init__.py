"""The paper's tables and figures, ours beside them; each module is a command."""
