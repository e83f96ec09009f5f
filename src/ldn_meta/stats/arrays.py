"""Numbers in, numbers out: what the formulas accept and the shape of what they return.

Every public function of this layer takes scalars or arrays that broadcast together. Missing is
NaN and stays NaN; everything else that is not a usable number is refused by name.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, wraps
from html import escape
from inspect import signature
from math import inf, nan
from types import MappingProxyType
from typing import (
    TYPE_CHECKING,
    Any,
    ClassVar,
    NamedTuple,
    ParamSpec,
    TypeAlias,
    TypedDict,
    TypeGuard,
    TypeVar,
    Unpack,
)

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtri, expit, ndtri, stdtr, stdtrit

from ldn_meta.errors import ArgumentError, ConvergenceError, did_you_mean

if TYPE_CHECKING:
    import pandas as pd


def html_table(
    rows: Sequence[Sequence[str]], *, head: Sequence[str] = (), is_prose: bool = False
) -> str:
    """Write rows of plain text as an HTML table; the first cell of a row names it.

    Examples
    --------
    >>> html_table([("trials", "<3")])
    '<table><tr><th scope="row">trials</th><td>&lt;3</td></tr></table>'
    """
    style = ' style="text-align:left"' if is_prose else ""
    columns = "".join(f'<th scope="col"{style}>{escape(name)}</th>' for name in head)
    lines = [f"<tr>{columns}</tr>"] if head else []
    for name, *cells in rows:
        values = "".join(f"<td{style}>{escape(cell)}</td>" for cell in cells)
        lines.append(f'<tr><th scope="row"{style}>{escape(name)}</th>{values}</tr>')
    return f"<table>{''.join(lines)}</table>"


def html_list(notes: Iterable[str]) -> str:
    """Write notes of plain text as an HTML list; nothing where there are none."""
    lines = "".join(f"<li>{escape(note)}</li>" for note in notes)
    return f"<ul>{lines}</ul>" if lines else ""


def defined(shown: str) -> str:
    """Return a number as shown, or words where it is NaN."""
    return "not defined" if "nan" in shown else shown


FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
Labels = Sequence[object] | None

# Beyond this in either direction squares of squares leave the range of doubles.
SMALLEST, LARGEST = 1e-30, 1e30
# No number of a paper is nearer to 0 than this, and its square divides what is left of the range.
NEAREST_ZERO = 1e-100
NEAREST_END = 1e-12
# First words of names of probabilities, which may be as small as they like.
PROBABILITIES = ("p", "likelihood", "response")


def one_of(name: str, value: object, allowed: Sequence[str]) -> str:
    """Return an option that must be one of a few words."""
    if isinstance(value, str) and value in allowed:
        return value
    meant = did_you_mean(value, allowed)
    message = (
        f"{name}={value!r} is not known; allowed: {', '.join(allowed)}"
        f"{'; ' if meant else ''}{meant}"
    )
    raise ArgumentError(message)


READ_AS = "was read as"


def understood(
    name: str, value: object, allowed: Sequence[str], synonyms: Mapping[str, str]
) -> tuple[str, tuple[str, ...]]:
    """Return the option that a word of another program means, with a note that names it back."""
    if isinstance(value, str) and value not in allowed:
        word = value.casefold().replace("_", "-").replace(" ", "-")
        known = synonyms.get(word, word)
        if known in allowed:
            return known, (f"{name}={value!r} {READ_AS} {known!r}",)
    return one_of(name, value, allowed), ()


def text(name: str, value: object) -> str:
    """Return a text."""
    if isinstance(value, str):
        return value
    message = f"{name}={value!r} is not text; allowed: a text, may be empty"
    raise ArgumentError(message)


def yes_or_no(name: str, value: object) -> bool:
    """Return an option that is True or False; a word such as "False" is neither."""
    if isinstance(value, bool | np.bool_):
        return bool(value)
    message = f"{name}={value!r} is not allowed; allowed: True, False"
    raise ArgumentError(message)


def confidence_level(level: object) -> float:
    """Return a level strictly between 0 and 1 (0.95, not 95)."""
    return share_between("level", level)


def is_number(value: object) -> TypeGuard[float]:
    """Whether a value is one real number, of Python or numpy."""
    known = isinstance(value, int | float | np.integer | np.floating)
    return known and not isinstance(value, bool)


def share_between(name: str, value: object) -> float:
    """Return a share strictly between 0 and 1."""
    # Nearer to either end than this, one minus it or its logarithm is lost in rounding.
    if is_number(value) and NEAREST_END <= value <= 1.0 - NEAREST_END:
        return float(value)
    message = f"{name}={value!r} is not allowed; allowed: a number between 0 and 1, such as 0.95"
    raise ArgumentError(message)


def _refuse_infinite(name: str, array: FloatArray) -> None:
    infinite = np.isinf(array)
    if np.count_nonzero(infinite):
        message = f"{_first(name, array, infinite)} is infinite; allowed: finite numbers or NaN"
        raise ArgumentError(message)


def effects_and_variances(
    yi: ArrayLike, vi: ArrayLike, *, dimensions: int | None = None
) -> tuple[FloatArray, FloatArray]:
    """Return effects and sampling variances of one shape (..., k), NaN in both where missing.

    A trial with either number missing is missing: an effect without a variance has no weight.
    """
    y, v = numbers("yi", yi, finite=False), numbers("vi", vi, finite=False)
    if y.shape != v.shape:
        message = f"yi has shape {y.shape} and vi has shape {v.shape}; allowed: equal shapes"
        raise ArgumentError(message)
    if y.ndim == 0 or (dimensions is not None and y.ndim != dimensions):
        wanted = "(k,)" if dimensions == 1 else "(..., k)"
        message = f"yi has shape {y.shape}; allowed: {wanted}, trials along the last axis"
        raise ArgumentError(message)
    usable = (np.abs(y) <= LARGEST) & (v >= SMALLEST) & (v <= LARGEST)
    given = np.count_nonzero(usable)
    if given == usable.size or given + np.count_nonzero(np.isnan(y) & np.isnan(v)) == usable.size:
        return y, v
    _refuse_infinite("yi", y)
    _refuse_infinite("vi", v)
    wrong = (v < SMALLEST) | (v > LARGEST)
    if np.count_nonzero(wrong):
        message = (
            f"{_first('vi', v, wrong)} is not a usable variance; allowed: positive numbers from "
            f"{SMALLEST:g} to {LARGEST:g}, with NaN for a missing trial"
        )
        raise ArgumentError(message)
    wrong = np.abs(y) > LARGEST
    if np.count_nonzero(wrong):
        message = f"{_first('yi', y, wrong)} is out of range; allowed: at most {LARGEST:g} in size"
        raise ArgumentError(message)
    missing = np.isnan(y) | np.isnan(v)
    y[missing] = np.nan
    v[missing] = np.nan
    return y, v


# Measures in standard deviations, which hardly any treatment moves by more than this.
IN_SDS = ("SMD", "SMD1", "SMCC", "SMCR", "SMCRP", "PPC")
LARGEST_IN_SDS = 3.0
GIANT = f"more than {LARGEST_IN_SDS:g} standard deviations: is a standard error typed as SD?"
# Beyond this metafor warns too, since version 2.0.
LARGEST_RATIO = 1e7


def doubts(yi: FloatArray, vi: FloatArray, measure: str = "") -> tuple[str, ...]:
    """Return notes on trials (..., k) that are hard to believe."""
    ends = [
        np.fmin.reduce(vi, axis=None, initial=np.inf),
        np.fmax.reduce(vi, axis=None, initial=0),
    ]
    if ends[1] <= LARGEST_RATIO * ends[0] and measure not in IN_SDS:
        return ()
    ratio = np.fmax.reduce(vi, axis=-1, initial=0.0) / np.fmin.reduce(vi, axis=-1, initial=np.inf)
    flags = [np.ravel(ratio > LARGEST_RATIO)]
    if measure in IN_SDS:
        flags.append(np.ravel((np.abs(yi) > LARGEST_IN_SDS).any(axis=-1)))
    sentences = (
        f"the largest variance is more than {LARGEST_RATIO:.0e} times the smallest: is one in "
        "another unit, or a standard error?",
        f"a trial differs by {GIANT}",
    )
    return told(sentences[: len(flags)], np.array(flags))


def column(data: Any, name: str, value: Any) -> Any:
    """Return a column of `data` where its name was given, else what was given."""
    if not isinstance(value, str):
        return value
    if data is None:
        message = f"{name}={value!r} is the name of a column; allowed: numbers, or data= with it"
        raise ArgumentError(message)
    if not hasattr(data, "keys"):
        message = f"data: {type(data).__name__} has no columns; allowed: a data frame, a mapping"
        raise ArgumentError(message)
    if value not in data:
        return data[one_of(name, value, [str(known) for known in data])]
    return data[value]


def trial_labels(
    labels: Any, k: int, *, name: str = "labels", each: str = "trial"
) -> tuple[str, ...]:
    """Return one label per trial; "trial 1", "trial 2", ... where none is given."""
    if labels is None:
        return tuple(f"trial {i + 1}" for i in range(k))
    wrong = ""
    if isinstance(labels, str):
        wrong = "is one text"
    elif not hasattr(labels, "__iter__"):
        wrong = "is no sequence"
    elif len(given := list(labels)) != k:
        wrong = f"has {len(given)} entries"
    if wrong:
        shown = name if wrong.startswith("has") else f"{name}={labels!r:.80}"
        raise ArgumentError(f"{shown} {wrong}; allowed: {k} {name}, one per {each}")
    return tuple(f"{each} {i + 1}" if is_missing(one) else str(one) for i, one in enumerate(given))


def is_missing(cell: object) -> bool:
    """Whether a cell of a table is empty: None, NaN, and what pandas and masks have for them."""
    return str(cell) in ("None", "nan", "<NA>", "NaT", "--")


def _first(name: str, array: FloatArray, wrong: BoolArray) -> str:
    return f"{name}[{_place(wrong)}]={float(array[wrong].flat[0])!r}"


def _place(wrong: BoolArray) -> str:
    """The index of the first that is wrong, as it is written in brackets."""
    return ", ".join(map(str, np.argwhere(wrong)[0].tolist()))


# What was done to an effect before it is pooled, and how it is called then.
PLAIN, LOG, LOGIT, ARCSINE, DOUBLE_ARCSINE, FISHER_Z = (
    "plain",
    "log",
    "logit",
    "arcsine",
    "double arcsine",
    "z",
)
_ON_SCALE = {
    PLAIN: "{}",
    LOG: "log {}",
    LOGIT: "log odds of the {}",
    ARCSINE: "arcsine root of the {}",
    DOUBLE_ARCSINE: "double arcsine of the {}",
    FISHER_Z: "Fisher's z of the {}",
}


class Measure(NamedTuple):
    """How an effect measure is called and read: which scale is pooled, and what means nothing."""

    words: str
    scale: str = PLAIN
    has_no_effect: bool = True

    @property
    def analysed(self) -> str:
        """Name of what is pooled: "log risk ratio"."""
        return _ON_SCALE[self.scale].format(self.words)

    @property
    def no_effect(self) -> float:
        """The value readers know for no effect; NaN for a share of people, which has none."""
        if not self.has_no_effect:
            return nan
        return 1.0 if self.scale == LOG else 0.0


_SHARE = "share of people"
MEASURES: Mapping[str, Measure] = MappingProxyType(
    {
        "": Measure("effect"),
        "MD": Measure("mean difference"),
        "MC": Measure("mean change"),
        "SMD": Measure("standardised mean difference"),
        "SMD1": Measure("standardised mean difference"),
        "PPC": Measure("difference of standardised mean changes"),
        "SMCC": Measure("standardised mean change"),
        "SMCR": Measure("standardised mean change"),
        "SMCRP": Measure("standardised mean change"),
        "ROM": Measure("ratio of means", LOG),
        "RR": Measure("risk ratio", LOG),
        "OR": Measure("odds ratio", LOG),
        "PETO": Measure("odds ratio (Peto)", LOG),
        "IRR": Measure("rate ratio", LOG),
        "HR": Measure("hazard ratio", LOG),
        "RD": Measure("risk difference"),
        "AS": Measure("arcsine risk difference"),
        "MPRD": Measure("risk difference (pairs)"),
        "MPRR": Measure("risk ratio (pairs)", LOG),
        "MPOR": Measure("odds ratio (pairs)", LOG),
        "MPORC": Measure("conditional odds ratio (pairs)", LOG),
        "MPPETO": Measure("odds ratio (Peto, pairs)", LOG),
        "COR": Measure("correlation"),
        "ZCOR": Measure("correlation", FISHER_Z),
        "PR": Measure(_SHARE, PLAIN, has_no_effect=False),
        "PLO": Measure(_SHARE, LOGIT, has_no_effect=False),
        "PAS": Measure(_SHARE, ARCSINE, has_no_effect=False),
        "PFT": Measure(_SHARE, DOUBLE_ARCSINE, has_no_effect=False),
    }
)


def known_measure(value: object, among: Iterable[str] = MEASURES) -> str:
    """Return the code of an effect measure; small letters will do, "" is one without a name."""
    codes = tuple(among)
    if isinstance(value, str) and value.upper() in codes:
        return value.upper()
    return one_of("measure", value, tuple(filter(None, codes)))


P = ParamSpec("P")
R = TypeVar("R")


def from_data(*names: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let these arguments of a function be names of columns of its `data`.

    Where trials are given no labels, the column ``label`` of `data` names them, or an index of
    texts.
    """

    def keep(function: Callable[P, R]) -> Callable[P, R]:
        own = [*signature(function).parameters.values()]
        # What is no parameter is one of its **options.
        defaults: dict[str, tuple[int, Any]] = dict.fromkeys(names, (len(own), None)) | {
            one.name: (place, one.default) for place, one in enumerate(own) if one.name in names
        }

        @wraps(function)
        def call(*values: P.args, **named: P.kwargs) -> R:
            data, given = named.get("data"), list(values)
            for name, (place, default) in defaults.items():
                value = named.get(name, default) if place >= len(given) else given[place]
                if value is None and name == "labels":
                    value = _own_labels(data)
                # Without data a text is refused by who wanted numbers.
                if not isinstance(value, str) if value is default else data is None:
                    continue
                if place < len(given):
                    given[place] = column(data, name, value)
                else:
                    named[name] = column(data, name, value)
            return function(*given, **named)  # type: ignore[arg-type]

        return call

    return keep


def _own_labels(data: Any) -> Any:
    """Return what names the rows of a table, if anything does."""
    if not hasattr(data, "keys"):
        return None
    if "label" in data:
        return data["label"]
    index = list(getattr(data, "index", ()))
    return index if any(isinstance(one, str) for one in index) else None


def formerly(old: str, new: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let a function take an argument by its old name for one version, with the new one said."""

    def keep(function: Callable[P, R]) -> Callable[P, R]:
        @wraps(function)
        def call(*values: P.args, **named: P.kwargs) -> R:
            if old in named:
                message = f"{old}= of {function.__name__} is now {new}= and will go"
                warnings.warn(message, DeprecationWarning, stacklevel=2)
                named[new] = named.pop(old)
            return function(*values, **named)

        return call

    return keep


def back(values: ArrayLike, scale: str, n: ArrayLike | None = None) -> FloatOrArray:
    """Return values of a scale of `Measure` as readers know them.

    exp(x), 1 / (1 + exp(-x)), sin(x)^2 and tanh(x); Freeman and Tukey's double arcsine needs the
    number of people `n` (Miller 1978, Am Stat 32:138). Angles beyond 0 or pi/2, and double
    arcsines beyond what none or all of n give, count as none and all: an interval can reach them.
    """
    x = np.asarray(values, dtype=np.float64)
    if scale == LOG:
        with np.errstate(over="ignore"):
            x = np.exp(x)
    elif scale == LOGIT:
        x = expit(x)
    elif scale == FISHER_Z:
        x = np.tanh(x)
    elif scale == ARCSINE:
        x = np.sin(np.clip(x, 0, np.pi / 2)) ** 2
    elif scale == DOUBLE_ARCSINE:
        if n is None:
            message = "n is missing; allowed: people, the harmonic mean of those of the trials"
            raise ArgumentError(message)
        x, size = together(value=x, n=numbers("n", n, at_least=1))
        # The mean of two angles, where Miller has their sum; 0 of n gives half of one.
        low = np.arcsin(np.sqrt(1 / (size + 1))) / 2
        high = np.pi / 2 - low
        t = 2 * np.clip(x, low, high)
        inner = np.sin(t) + (np.sin(t) - 1 / np.sin(t)) / size
        p = (1 - np.sign(np.cos(t)) * np.sqrt(np.maximum(1 - inner**2, 0))) / 2
        x = np.where(x <= low, 0.0, np.where(x >= high, 1.0, p))
    return plain(x)


TAU2_METHODS = ("common", "dl", "he", "hs", "sj", "ml", "reml", "eb", "pm")
CI_METHODS = ("wald", "knapp-hartung", "knapp-hartung-floored")
# Degrees of freedom of t in a prediction interval; the third way takes none.
PI_METHODS, BOOTSTRAP = ("k-1", "k-2"), "bootstrap"
# What metafor, R's meta and RevMan call them, in small letters.
TAU2_SYNONYMS = MappingProxyType(
    {"ee": "common", "fe": "common", "ce": "common", "fixed": "common", "mp": "pm"}
)
CI_SYNONYMS = MappingProxyType(
    {
        **dict.fromkeys(("z", "classic", "normal"), "wald"),
        **dict.fromkeys(("knha", "kh", "hk", "hksj"), "knapp-hartung"),
        "adhoc": "knapp-hartung-floored",
    }
)
# Priors of tau.
HALF_NORMAL, HALF_CAUCHY, LOG_NORMAL, LOG_T = "half-normal", "half-cauchy", "log-normal", "log-t"
TAU_PRIORS = (HALF_NORMAL, HALF_CAUCHY, LOG_NORMAL, LOG_T)
# Those whose only parameter is a scale in units of the effect.
HALF = (HALF_NORMAL, HALF_CAUCHY)


@dataclass(frozen=True)
class Settings:
    """How to fit; refuses what it does not know."""

    tau2_method: str
    ci_method: str
    level: float
    pi_method: str = "k-1"
    notes: tuple[str, ...] = field(init=False, default=())

    def __post_init__(self) -> None:
        """Check every option; words of other programs are understood and named back."""
        tau2, note = understood("tau2_method", self.tau2_method, TAU2_METHODS, TAU2_SYNONYMS)
        ci, other = understood("ci_method", self.ci_method, CI_METHODS, CI_SYNONYMS)
        one_of("pi_method", self.pi_method, (*PI_METHODS, BOOTSTRAP))
        object.__setattr__(self, "tau2_method", tau2)
        object.__setattr__(self, "ci_method", ci)
        object.__setattr__(self, "notes", note + other)
        object.__setattr__(self, "level", confidence_level(self.level))

    @property
    def is_random(self) -> bool:
        """Whether true effects may differ between trials."""
        return self.tau2_method != "common"

    @property
    def uses_t(self) -> bool:
        """Whether the interval is of the Knapp-Hartung kind."""
        return self.ci_method != "wald"


def not_converged(method: str, iterations: int, steps: FloatArray, sets: int) -> ConvergenceError:
    """Return the error that names method, iterations and last step, and what to try."""
    worst = float(abs(steps).max())
    other = "; use tau2_method='dl', which does not iterate" if method in TAU2_METHODS else ""
    message = (
        f"{method}: tau2 did not converge in {iterations} iterations for {steps.size} of {sets} "
        f"sets of trials (last step {worst:.3g} of tau2 plus the smallest variance); "
        f"look for an effect or variance in a wrong unit{other}"
    )
    return ConvergenceError(message)


class Quantiles(NamedTuple):
    """Quantiles for each of m sets, all (m,); NaN where a set is too small to use them."""

    t: FloatArray
    t_new_k1: FloatArray
    t_new_k2: FloatArray
    upper: FloatArray
    lower: FloatArray


def quantiles(count: IntArray, *, level: float) -> Quantiles:
    """Look up the two-sided quantiles at `level` for sets of `count` (m,) trials."""
    if count.size == 0:
        return Quantiles(*np.empty((5, 0)))
    lowest, highest = int(np.minimum.reduce(count)), int(np.maximum.reduce(count))
    table = np.array([_for_trials(k, level) for k in range(lowest, highest + 1)])
    return Quantiles(*table.T.take(count - lowest, axis=1))


@lru_cache(maxsize=4096)
def _for_trials(k: int, level: float) -> tuple[float, ...]:
    """One row of the table; remembered, because it costs as much as a closed-form fit."""
    if k < 2:
        return (nan, nan, nan, nan, nan)
    tail = 0.5 + 0.5 * level
    df = float(k - 1)
    t = float(stdtrit(df, tail))
    new = (t, float(stdtrit(df - 1.0, tail))) if k > 2 else (nan, nan)
    return t, *new, float(chdtri(df, 0.5 - 0.5 * level)), float(chdtri(df, tail))


class FrozenRecord:
    """Base of frozen dataclasses that hold arrays: read-only, comparable, safe to pickle.

    Subclasses are declared with ``@dataclass(frozen=True, eq=False)``.
    """

    __hash__ = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        """Make the arrays read-only."""
        for value in vars(self).values():
            if isinstance(value, np.ndarray):
                value.flags.writeable = False

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore a pickle with its arrays read-only again."""
        vars(self).update(state)
        self.__post_init__()

    def __eq__(self, other: object) -> bool:
        """Compare every field; arrays by value, NaN equal to NaN."""
        if type(self) is not type(other):
            return NotImplemented
        mine, theirs = vars(self), vars(other)
        return all(_same(mine[name], theirs[name]) for name in mine)

    def summary(self) -> Summary:
        """Return settings, numbers, trials and notes as text."""
        rows, table = self._told()
        width = max((len(name) for name, _ in rows), default=0)
        lines = [f"{name:<{width}}  {shown}" for name, shown in rows]
        if table is not None:
            lines += ["", table.round(4).to_string(index=False)]
        return Summary("\n".join([*lines, *(f"- {note}" for note in getattr(self, "notes", ()))]))

    def _told(self) -> tuple[list[tuple[str, str]], pd.DataFrame | None]:
        """Return names and numbers, and a table below them: here what the fields hold."""
        import pandas as pd

        fields = {name.replace("_", " "): value for name, value in vars(self).items()}
        rows = [
            (name, f"{value:.4g}" if is_number(value) else str(value))
            for name, value in fields.items()
            if isinstance(value, str | bool) or is_number(value)
        ]
        if not isinstance(fields.get("labels"), tuple):
            return rows, None
        each = {"labels": fields["labels"]}
        each |= {name: value for name, value in fields.items() if isinstance(value, np.ndarray)}
        return rows, pd.DataFrame(each)


class Summary(str):
    """Lines of text that show as they are."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Return the text."""
        return str(self)


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, str | tuple | FrozenRecord | None) or isinstance(other, str | tuple | None):
        return bool(one == other)
    return bool(np.array_equal(np.asarray(one), np.asarray(other), equal_nan=True))


def told(sentences: Iterable[str], flags: BoolArray) -> tuple[str, ...]:
    """Return the sentences that apply, each with the number of sets it applies to if many.

    `flags` (s, m) says which of s sentences apply to which of m sets.
    """
    sets = flags.shape[1]
    times = np.add.reduce(flags, axis=1, dtype=np.int64).tolist()
    return tuple(
        f"{count} of {sets} sets: {sentence}" if sets > 1 else sentence
        for sentence, count in zip(sentences, times, strict=True)
        if count
    )


def by_name(
    names: Sequence[str], matrix: FloatArray, shape: tuple[int, ...], *, whole: Sequence[str]
) -> dict[str, Any]:
    """Return rows (n, m) by name: arrays of the shape of a batch, or plain numbers of one set."""
    found: dict[str, Any] = {}
    for name, row in zip(names, matrix, strict=True):
        values = row.astype(np.int64) if name in whole else row
        found[name] = values.reshape(shape) if shape else values[0].item()
    return found


class Transformed(NamedTuple):
    """A result as readers know it: ratios, shares of people, correlations, differences."""

    quantity: str
    estimate: FloatOrArray
    ci_low: FloatOrArray
    ci_high: FloatOrArray
    pi_low: FloatOrArray
    pi_high: FloatOrArray


class WithMeasure(FrozenRecord):
    """A record of effects that readers may know on another scale."""

    measure: str
    estimate: Any
    ci_low: Any
    ci_high: Any
    pi_low: Any
    pi_high: Any

    def transformed(self, *, n: ArrayLike | None = None) -> Transformed:
        """Return estimate, interval and prediction interval as readers know them.

        Logarithms become ratios, log odds and arcsines shares of people, Fisher's z correlations;
        differences stay as they are. `n` is for Freeman and Tukey's double arcsine alone: the
        harmonic mean of the people of the trials.
        """
        entry = MEASURES[self.measure]
        ends = (self.estimate, self.ci_low, self.ci_high, self.pi_low, self.pi_high)
        return Transformed(entry.words, *(back(end, entry.scale, n) for end in ends))


# What a summary of many sets tells of each.
_OF_SETS = (
    *(
        "set",
        "k",
        "estimate",
        "mu_median",
        "se",
        "ci_low",
        "ci_high",
        "mu_low",
        "mu_high",
        "p_value",
    ),
    *("tau2", "tau_median", "i2_pct"),
    *("transformed_estimate", "transformed_ci_low", "transformed_ci_high"),
)


class PoolRecord(WithMeasure):
    """What the records of pools share: the trials, and how they show in a notebook."""

    KIND: ClassVar[str]
    TRIAL_NUMBERS: ClassVar[tuple[str, ...]] = ()
    # Columns of `to_frame`: settings, and numbers of each set.
    SETTINGS: ClassVar[tuple[str, ...]]
    NUMBERS: ClassVar[tuple[str, ...]]
    INTERVAL: ClassVar[str] = "CI"
    # Names of the sets of a batch.
    sets: tuple[str, ...] = ()

    k: int | IntArray
    level: float
    yi: FloatArray
    vi: FloatArray
    labels: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def is_batch(self) -> bool:
        """Whether the record holds many sets of trials."""
        return isinstance(self.k, np.ndarray)

    @property
    def scale(self) -> str:
        """What `estimate` is: plain, log, logit, arcsine, double arcsine or z."""
        return MEASURES[self.measure].scale

    @property
    def _percent(self) -> str:
        """The level as it is printed."""
        return f"{100 * self.level:g}%"

    def _effect_rows(self, se: Any) -> list[tuple[str, str]]:
        """Name and write the estimate with its standard error, and its interval."""
        return [
            ("pooled effect (SE)", f"{self.estimate:.4g} ({se:.4g})"),
            (f"{self._percent} CI", f"{self.ci_low:.4g} to {self.ci_high:.4g}"),
        ]

    @property
    def _is_told_twice(self) -> bool:
        """Whether readers know another scale, and it needs nothing that is not here."""
        return self.scale not in (PLAIN, DOUBLE_ARCSINE)

    def _in_brackets(self) -> str:
        """Write estimate and interval for one line, on both scales where there are two."""
        ends = f"{self.ci_low:.4g}, {self.ci_high:.4g}"
        level = f"{self._percent} CI" if self.INTERVAL == "CI" else self._percent
        told = f"{self.estimate:.4g} [{level} {ends}]"
        if not self._is_told_twice:
            return told
        known = self.transformed()
        return (
            f"{MEASURES[self.measure].analysed} {told}, {known.quantity} {known.estimate:.4g} "
            f"[{known.ci_low:.4g}, {known.ci_high:.4g}]"
        )

    def to_frame(self) -> pd.DataFrame:
        """Return settings and numbers as a data frame: one row, or one row per set.

        Where readers know another scale, columns that begin with ``transformed_`` have it. Sets
        that have names bring them; the notes of many sets are no row's, so one row alone has them.
        """
        import pandas as pd

        columns: dict[str, Any] = {name: np.ravel(getattr(self, name)) for name in self.NUMBERS}
        rows = columns["k"].size
        settings: dict[str, Any] = {
            name: np.ravel(np.broadcast_to(value, np.shape(self.k)))
            if isinstance(value, float | np.ndarray)
            else [value] * rows
            for name, value in ((name, getattr(self, name)) for name in self.SETTINGS)
        }
        if self._is_told_twice:
            known = self.transformed()._asdict()
            settings["transformed"] = [known.pop("quantity")] * rows
            columns |= {
                f"transformed_{name}": np.ravel(np.broadcast_to(values, np.shape(self.k)))
                for name, values in known.items()
            }
        named = {"set": [*self.sets] * (rows // len(self.sets))} if self.sets else {}
        notes = {} if self.is_batch else {"notes": "; ".join(self.notes)}
        return pd.DataFrame(named | settings | columns | notes)

    def _settings(self) -> list[tuple[str, str]]:
        raise NotImplementedError

    def _shown_numbers(self) -> list[tuple[str, str]]:
        raise NotImplementedError

    def _rows(self) -> list[tuple[str, str]]:
        """List names and numbers, with those that readers know after the number of trials."""
        first, *others = self._shown_numbers()
        known: list[tuple[str, str]] = []
        if self._is_told_twice:
            t, percent = self.transformed(), self._percent
            told = f"{t.estimate:.4g} ({t.ci_low:.4g} to {t.ci_high:.4g})"
            known = [(f"{t.quantity} ({percent} {self.INTERVAL})", told)]
            if not np.isnan(t.pi_low):
                new = f"{t.pi_low:.4g} to {t.pi_high:.4g}"
                known += [(f"{t.quantity} of a new trial ({percent})", new)]
            known += [("scale of all below", MEASURES[self.measure].analysed)]
        return [(name, defined(shown)) for name, shown in [first, *known, *others]]

    def _told(self) -> tuple[list[tuple[str, str]], pd.DataFrame | None]:
        if self.is_batch:
            frame = self.to_frame()
            return self._settings(), frame[[name for name in frame if name in _OF_SETS]]
        return [*self._settings(), *self._rows()], self.trials_frame()

    def _repr_html_(self) -> str:
        """Return settings above the numbers, notes below."""
        if self.is_batch:
            table = self.to_frame().drop(columns=[*self.SETTINGS])
            body = str(table.to_html(max_rows=10, border=0, float_format="{:.4g}".format))
        else:
            body = html_table(self._rows())
        return (
            f'<div class="ldn-meta-{self.KIND}">{html_table(self._settings())}{body}'
            f"{html_list(self.notes)}</div>"
        )

    def trials_frame(self) -> pd.DataFrame:
        """Return one row per trial: label, yi, vi, sei and what the pool says of it (one set).

        Raises
        ------
        ArgumentError
            For a batch, which has no single table of trials.
        """
        import pandas as pd

        if self.is_batch:
            message = "trials_frame of a batch; allowed: the result of one set"
            raise ArgumentError(message)
        columns = {"label": list(self.labels), "yi": self.yi, "vi": self.vi}
        columns["sei"] = np.sqrt(self.vi)
        return pd.DataFrame(columns | {name: getattr(self, name) for name in self.TRIAL_NUMBERS})


# A float where every input was a scalar, else an array. Any, because callers know which they
# passed and a union would make each of them prove it.
FloatOrArray: TypeAlias = Any


class _Pair(NamedTuple):
    yi: FloatOrArray
    vi: FloatOrArray


class EffectSize(_Pair):
    """An observed effect and its sampling variance; floats for scalars, else arrays (...,).

    It unpacks to these two. `notes` has a sentence for every automatic decision behind them.
    """

    notes: tuple[str, ...] = ()

    def noted(self, *notes: str) -> EffectSize:
        """Return the same pair with these notes after its own."""
        found = EffectSize(*self)
        found.notes = (*self.notes, *notes)
        return found

    def __repr__(self) -> str:
        """Return the pair, and the notes if there are any."""
        notes = f", notes={self.notes}" if self.notes else ""
        return f"EffectSize(yi={self.yi!r}, vi={self.vi!r}{notes})"


class Estimate(NamedTuple):
    """A value and its standard error, both in the units of the value."""

    estimate: FloatOrArray
    se: FloatOrArray


class Interval(NamedTuple):
    """A lower and an upper bound, both included unless the function says otherwise."""

    low: FloatOrArray
    high: FloatOrArray


def numbers(
    name: str,
    value: ArrayLike,
    *,
    above: float = -np.inf,
    at_least: float = -np.inf,
    at_most: float = np.inf,
    below: float = np.inf,
    finite: bool = True,
    with_bools: bool = False,
) -> FloatArray:
    """Return `value` as a float array or refuse it by name.

    NaN means missing and passes, and so do what a mask hides, pandas' NA and None in an array.
    Strings, booleans (unless `with_bools`, 0 and 1 then), complex numbers and other objects are
    refused, and so are, unless `finite` is False, infinities and numbers whose squares leave the
    range of doubles (a p-value may be tiny).
    """
    raw = _raw(name, value, with_bools=with_bools)
    if raw.dtype.kind not in "iuf":
        shown = raw.ravel()[:3].tolist() if raw.ndim else value
        raise ArgumentError(
            f"{name}: {shown!r} has type {raw.dtype}; allowed: real numbers, NaN where missing"
        )
    with np.errstate(over="ignore"):
        array: FloatArray = raw.astype(np.float64)
    rules: tuple[tuple[BoolArray | None, str], ...] = (
        (array <= above if above > -np.inf else None, f"numbers above {above:g}"),
        (array < at_least if at_least > -np.inf else None, f"numbers of at least {at_least:g}"),
        (array >= below if below < np.inf else None, f"numbers below {below:g}"),
        (array > at_most if at_most < np.inf else None, f"numbers of at most {at_most:g}"),
    )
    if finite:
        rules = (*_sizes(name, array), *rules)
    for broken, allowed in rules:
        if broken is not None and broken.any():
            place = f"{name}[{_place(broken)}]" if array.ndim else name
            raise ArgumentError(f"{place}: {array[broken].flat[0]:g} is not allowed; {allowed}")
    return array


def _sizes(name: str, array: FloatArray) -> Iterator[tuple[BoolArray, str]]:
    """Say which numbers are infinite, or of a size whose square is not a double."""
    size = np.abs(array)
    usable = (size <= LARGEST) & ((size >= NEAREST_ZERO) | (size == 0))
    if np.count_nonzero(usable) < size.size:
        yield np.isinf(size), "finite numbers"
        yield size > LARGEST, f"numbers of at most {LARGEST:g} in size"
        if name.partition("_")[0] not in PROBABILITIES:
            tiny = (size > 0) & (size < NEAREST_ZERO)
            yield tiny, f"0, or numbers of at least {NEAREST_ZERO:g} in size"


def one_number(name: str, value: object, **limits: Unpack[Limits]) -> float:
    """Return one number, NaN where missing, or refuse what is none or more than one."""
    array = numbers(name, value, **limits)  # type: ignore[arg-type]
    if array.ndim == 0:
        return float(array)
    raise ArgumentError(f"{name}: shape {array.shape} is not allowed; allowed: one number")


def _raw(name: str, value: object, *, with_bools: bool) -> NDArray[Any]:
    """Return an array of what was given, with NaN for what is missing in masks and objects."""
    try:
        if isinstance(value, list | tuple) and any(np.ma.isMaskedArray(row) for row in value):
            value = np.ma.array([nan if row is np.ma.masked else row for row in value])
        if isinstance(value, np.ma.MaskedArray):
            hidden, value = np.ma.getmaskarray(value), value.data
            if value.dtype.kind in "iuf":
                return np.where(hidden, np.nan, value)
        raw = np.asarray(value)
        if raw.dtype != np.object_:
            return raw.astype(np.float64) if with_bools and raw.dtype == np.bool_ else raw
        cells = [_number(cell, with_bools=with_bools) for cell in raw.ravel().tolist()]
    except (ValueError, TypeError) as error:
        raise ArgumentError(f"{name}: ragged sequence; allowed: rows of equal length") from error
    if value is None or any(cell is None for cell in cells):
        return raw
    return np.array(cells, dtype=np.float64).reshape(raw.shape)


def _number(cell: object, *, with_bools: bool) -> float | None:
    """Return a cell of a column of objects as a number, NaN for a missing one, or None."""
    if is_number(cell) or (with_bools and isinstance(cell, bool)):
        try:
            return float(cell)
        except OverflowError:
            return inf
    return nan if not isinstance(cell, str) and is_missing(cell) else None


def together(**arrays: FloatArray) -> tuple[FloatArray, ...]:
    """Broadcast named arrays against each other."""
    try:
        return tuple(np.broadcast_arrays(*arrays.values()))
    except ValueError as error:
        shapes = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
        raise ArgumentError(f"shapes do not broadcast together: {shapes}") from error


class Limits(TypedDict, total=False):
    """What `numbers` takes to refuse a value."""

    above: float
    at_least: float
    at_most: float
    below: float
    finite: bool


# What a number may be goes by the first word of its name: sd_1 is an sd.
LIMITS: dict[str, Limits] = {
    "sd": {"at_least": 0},
    "se": {"at_least": 0},
    "n": {"at_least": 1},
    "events": {"at_least": 0},
    "both": {"at_least": 0},
    "only": {"at_least": 0},
    "neither": {"at_least": 0},
    "time": {"above": 0},
    "correlation": {"at_least": -1, "at_most": 1},
    "df": {"above": 0, "finite": False},
}


def checked(**values: ArrayLike) -> tuple[FloatArray, ...]:
    """Refuse what a number of that name cannot be, and broadcast all against each other.

    events, events_1 or events_2 may not be more than n, or than the n_1 or n_2 beside them.
    """
    given = {
        name: numbers(name, value, **LIMITS.get(name.partition("_")[0], {}))
        for name, value in values.items()
    }
    arrays = together(**given)
    found = dict(zip(given, arrays, strict=True))
    for name, events in found.items():
        own = name.replace("events", "n")
        people = own if own in found else "n"
        if name.startswith("events") and people in found:
            wrong = events > found[people]
            if np.any(wrong):
                raise ArgumentError(
                    f"{name}: {events[wrong].flat[0]:g} is above {people} "
                    f"{found[people][wrong].flat[0]:g}; allowed: {name} <= {people}"
                )
    return arrays


def ordered(low_name: str, low: FloatArray, high_name: str, high: FloatArray) -> None:
    """Refuse any pair with `low` above `high`; pairs with NaN pass."""
    together(**{low_name: low, high_name: high})
    wrong = low > high
    if np.any(wrong):
        low_all, high_all = np.broadcast_arrays(low, high)
        raise ArgumentError(
            f"{low_name}: {low_all[wrong].flat[0]:g} is above {high_name} "
            f"{high_all[wrong].flat[0]:g}; allowed: {low_name} <= {high_name}"
        )


def plain(array: Any) -> FloatOrArray:
    """Return a zero-dimensional result as a Python float, anything else as an array."""
    result = np.asarray(array, dtype=np.float64)
    return float(result) if result.ndim == 0 else result


def truth(array: Any) -> bool | BoolArray:
    """Return a zero-dimensional answer as a Python bool, anything else as an array."""
    result: BoolArray = np.asarray(array, dtype=np.bool_)
    return bool(result) if result.ndim == 0 else result


def effect(yi: Any, vi: Any) -> EffectSize:
    """Return an EffectSize with both members in the shape they broadcast to."""
    yi_all, vi_all = np.broadcast_arrays(yi, vi)
    return EffectSize(plain(yi_all), plain(vi_all))


def levels(level: ArrayLike) -> FloatArray:
    """Return levels of intervals, each as `share_between` has it."""
    return numbers("level", level, above=0, below=1, at_least=NEAREST_END, at_most=1 - NEAREST_END)


def two_sided_quantile(level: ArrayLike, df: ArrayLike = np.inf) -> FloatArray:
    """Return q with P(-q < T < q) = level, T Student on `df` (normal where df is infinite)."""
    share, freedom = together(level=levels(level), df=numbers("df", df, above=0, finite=False))
    return -_student_quantile((1 - share) / 2, freedom)


def quantile_from_p(p: FloatArray, df: FloatArray, *, two_sided: bool) -> FloatArray:
    """Return the size of the statistic |t| that gives `p`, on `df` degrees of freedom."""
    return np.abs(_student_quantile(p / 2 if two_sided else p, df))


def p_from_statistic(statistic: FloatArray, df: FloatArray, *, two_sided: bool) -> FloatArray:
    """Return the p-value of |statistic|, Student on `df` (normal where df is infinite)."""
    tail = stdtr(df, -np.abs(statistic))
    return np.asarray(2 * tail if two_sided else tail)


def _student_quantile(tail: FloatArray, df: FloatArray) -> FloatArray:
    normal = np.isinf(df)
    return np.asarray(np.where(normal, ndtri(tail), stdtrit(np.where(normal, 1.0, df), tail)))
