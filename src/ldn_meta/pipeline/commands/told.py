"""What a person, or a machine, is told of new rows."""

from __future__ import annotations

import json
from typing import Any

import click

from ldn_meta import paths
from ldn_meta.pipeline.raw_rows import Added, csv_line

RATIOS = ("RR", "OR", "IRR")


def as_json(added: Added, **further: Any) -> str:
    """Rows, and what becomes of them, as JSON."""
    from ldn_meta.pipeline.digits import rounded

    content = {
        "is_written": added.is_written,
        "rows": added.rows,
        "effects": list(added.effects),
        "left_out": list(added.left_out),
        **further,
    }
    return json.dumps(rounded(content), indent=1)


def tell_rows(added: Added) -> None:
    """Show every new row as it will stand in its table."""
    for table, rows in added.rows.items():
        click.echo(f"{table}.csv")
        for row in rows:
            click.echo(f"  {csv_line(list(row.values()))}", nl=False)


def tell_outlook(added: Added) -> None:
    """Show which effects come of the rows, and which rows are in none."""
    for effect in added.effects:
        scale = "log " if effect["measure"] in RATIOS else ""
        click.echo(
            f"effect {effect['effect_id']}: {scale}{effect['measure']} {effect['yi']:.4g} "
            f"(95% CI {effect['ci_low']:.4g} to {effect['ci_high']:.4g}), {effect['unit']}; "
            f"{'in' if effect['is_selected'] else 'not in'} the main pool: "
            f"{effect['selected_why']}"
        )
    for row in added.left_out:
        click.echo(f"in no effect {row['table']}:{row['row_id']}: {row['reason']}")


def tell_end(added: Added) -> None:
    """Say what was written and what comes next."""
    if not added.is_written:
        click.echo(f"nothing was written; {added.count} rows would be")
        return
    folder = paths.raw_data().relative_to(paths.project_root()).as_posix()
    counts = ", ".join(f"{name} {len(rows)}" for name, rows in added.rows.items())
    click.echo(f"{folder}: {counts} rows added; next: ldn-meta run, then git diff")
