"""For tests of the evidence: copies of what is on file, to break and to edit."""

import pytest


@pytest.fixture
def raw(raw_folder, tmp_path):
    """All raw tables, to break cell by cell."""
    from builders import RawCopy

    return RawCopy(raw_folder, tmp_path / "raw")


@pytest.fixture
def rewritten(raw_folder, tmp_path):
    """The file of a protocol with a piece of its text replaced, or with one more at its end."""

    def write(old, new):
        file = tmp_path / "protocol.toml"
        text = (raw_folder / "protocol.toml").read_text(encoding="utf-8")
        assert old in text
        text = text.replace(old, new, 1) if old else f"{text}\n{new}\n"
        file.write_text(text, encoding="utf-8")
        return file

    return write
