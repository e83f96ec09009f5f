"""Analyses on disk: whole parts, resumed, the same wherever they were computed."""

import shutil

import pandas as pd
import pytest
from click.testing import CliRunner

from ldn_meta import paths
from ldn_meta.errors import ParameterError
from ldn_meta.evidence import load
from ldn_meta.pipeline import multiverse
from ldn_meta.pipeline.cli import main

CHUNK = 50_000


@pytest.fixture
def project(tmp_path, monkeypatch, evidence):
    """The real data, read once, in a project of its own, so that build/ is nobody else's."""
    monkeypatch.setattr(load, "load_evidence", lambda: evidence)
    root = paths.project_root()
    for name in ("notebooks", "src", "requirements.lock"):
        (tmp_path / name).symlink_to(root / name)
    shutil.copytree(root / "data", tmp_path / "data")
    monkeypatch.setenv("LDN_META_ROOT", str(tmp_path))
    return tmp_path


def read(file):
    from fastparquet import ParquetFile

    with file.open("rb") as stream:
        return ParquetFile(stream).to_pandas()


def frame_of(folder):
    return pd.concat([read(file) for file in sorted(folder.glob("part-*.parquet"))])


def test_interrupted_it_goes_on_and_ends_the_same(project):
    laid_out = multiverse.plan(["painful_diabetic_neuropathy"], chunk=CHUNK)
    (pain, *_) = laid_out.found
    assert laid_out.kept == 0
    steps = multiverse.run(laid_out)
    first = next(steps)
    steps.close()
    assert first.file.is_file()
    again = multiverse.plan(["painful_diabetic_neuropathy"], chunk=CHUNK)
    assert (again.kept, len(again.missing)) == (1, len(laid_out.missing) - 1)
    assert first.file not in [part.file for part in again.missing]
    list(multiverse.run(again))
    written = frame_of(first.file.parent)
    expected = pain.frame()
    assert list(written["analysis"]) == list(range(len(pain)))
    pd.testing.assert_series_equal(
        written["estimate"].reset_index(drop=True), expected["estimate"], check_exact=True
    )
    assert list(written["interval"].cat.categories) == list(expected["interval"].cat.categories)
    assert not list(first.file.parent.glob(".*"))


def test_workers_in_other_processes_write_the_same(project):
    from distributed import LocalCluster

    laid_out = multiverse.plan(["painful_diabetic_neuropathy"], chunk=CHUNK)
    with LocalCluster(
        n_workers=1, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster:
        written = {
            part.file: read(part.file)
            for part in multiverse.run(laid_out, scheduler=cluster.scheduler_address)
        }
    assert len(written) == len(laid_out.missing)
    for part in laid_out.missing:
        found = laid_out.found[part.place]
        expected = found.frame(part.start, part.stop).reset_index(drop=True)
        pd.testing.assert_frame_equal(
            written[part.file], expected, check_exact=True, check_index_type=False
        )


def test_requests_that_cannot_be_met(project):
    with pytest.raises(ParameterError, match="did you mean 'fibromyalgia'"):
        multiverse.plan(["fibromyalga"])
    laid_out = multiverse.plan(["painful_diabetic_neuropathy"])
    with pytest.raises(ParameterError, match="no dask scheduler answers at 'nowhere'"):
        list(multiverse.run(laid_out, scheduler="nowhere"))


def test_the_command_says_what_it_did(project):
    result = CliRunner().invoke(main, ["multiverse", "painful_diabetic_neuropathy"])
    assert result.exit_code == 0, result.output
    assert "258,048 analyses of 2 outcomes; 4 parts written, 0 were there" in result.output
    again = CliRunner().invoke(main, ["multiverse", "painful_diabetic_neuropathy"])
    assert "0 parts written, 4 were there" in again.output
    # Other inputs start from nothing.
    protocol = project / "data" / "raw" / "protocol.toml"
    protocol.write_text(protocol.read_text(encoding="utf-8") + "# moved\n", encoding="utf-8")
    assert multiverse.plan(["painful_diabetic_neuropathy"]).kept == 0
