"""papermill's own engine, without writing the notebook to disk before and after every cell."""

from __future__ import annotations

from typing import Any

from papermill.engines import NBClientEngine, papermill_engines

NAME = "ldn-meta"


class SavingAtTheEnd(NBClientEngine):  # type: ignore[misc]  # papermill has no types
    """Saves once, when the notebook has ended, well or badly: 50 times were a sixth of a page."""

    @classmethod
    def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **options: Any) -> None:
        """Execute the cells; the caller saves what came of it."""
        path, nb_man.output_path = nb_man.output_path, None
        try:
            super().execute_managed_notebook(nb_man, kernel_name, **options)
        finally:
            nb_man.output_path = path


papermill_engines.register(NAME, SavingAtTheEnd)
