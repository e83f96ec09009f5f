"""What a person sees while notebooks run: one line that moves, or plain lines in a log."""

from __future__ import annotations

import sys


class Progress:
    """What the runner reports to; this one says nothing, for callers who want the summary only."""

    def start(self, total: int) -> None:
        """Announce how many notebooks will run."""

    def done(self, label: str, seconds: float) -> None:
        """Report a notebook that ran to its end."""

    def failed(self, label: str) -> None:
        """Report a notebook that broke."""

    def note(self, message: str) -> None:
        """Say something that is not the end of a notebook."""

    def close(self) -> None:
        """Leave the terminal as it was."""


class Lines(Progress):
    """One plain line for each notebook, for logs and pipes."""

    def __init__(self) -> None:
        self._total = 0
        self._count = 0

    def start(self, total: int) -> None:
        """Announce how many notebooks will run."""
        self._total, self._count = total, 0
        self.note(f"running {total} {'notebook' if total == 1 else 'notebooks'}")

    def done(self, label: str, seconds: float) -> None:
        """Write the notebook and its time."""
        self._line(f"{label}  {seconds:.1f} s")

    def failed(self, label: str) -> None:
        """Write the notebook that broke."""
        self._line(f"{label}  FAILED")

    def note(self, message: str) -> None:
        """Write the message."""
        sys.stderr.write(f"{message}\n")
        sys.stderr.flush()

    def _line(self, text: str) -> None:
        self._count += 1
        self.note(f"[{self._count:>{len(str(self._total))}}/{self._total}] {text}")


class Bar(Progress):
    """A line that moves, for terminals."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as RichProgress

        self._bar = RichProgress(
            TextColumn("notebooks"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.description}"),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._bar.add_task("", total=None)

    def start(self, total: int) -> None:
        """Show the line."""
        self._bar.update(self._task, total=total)
        self._bar.start()

    def done(self, label: str, seconds: float) -> None:
        """Move on by one notebook."""
        self._bar.update(self._task, advance=1, description=f"{label}  {seconds:.1f} s")

    def failed(self, label: str) -> None:
        """Move on, and leave a line that stays."""
        self.note(f"{label}  FAILED")
        self._bar.update(self._task, advance=1)

    def note(self, message: str) -> None:
        """Write the message above the line."""
        self._bar.console.print(message, markup=False, highlight=False)

    def close(self) -> None:
        """Take the line away."""
        self._bar.stop()


def for_terminal() -> Progress:
    """Choose what suits where stderr goes."""
    return Bar() if sys.stderr.isatty() else Lines()
