"""Functions other than pooling, each beside its peers on the same small data."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from speed.environment import PEER_PYTHON, child_variables
from speed.page import NOT_AVAILABLE, digits, table

HERE = Path(__file__).parent
SEED, ROUNDS, BUDGET = 30, 5, 0.1
FAR_APART = 1e-3


@dataclass(frozen=True)
class Task:
    """One function: what each contender calls, as text; the value is a number all should give."""

    what: str
    ours: str
    metafor: str = ""
    pimeta: str = ""
    statsmodels: str = ""


def data() -> dict[str, list[Any]]:
    """Thirteen trials with effects, ten sparse tables, and 15 effects of six trials."""
    rng = np.random.default_rng(SEED)
    v = rng.uniform(0.02, 0.5, 13)
    x = rng.uniform(0, 10, 13)
    n1, n2 = rng.integers(20, 200, 10), rng.integers(20, 200, 10)
    cluster = [0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 4, 5]
    trial = rng.normal(0, 0.4, 6)[cluster]
    vd = rng.uniform(0.02, 0.1, 15)
    return {
        "yi": rng.normal(0.3 + 0.05 * x, np.sqrt(v + 0.1)).tolist(),
        "vi": v.tolist(),
        "x": x.tolist(),
        "g": [0, 1] * 6 + [0],
        "a": rng.binomial(n1, 0.06).tolist(),
        "n1": n1.tolist(),
        "c": rng.binomial(n2, 0.03).tolist(),
        "n2": n2.tolist(),
        "yd": (trial + rng.normal(0, np.sqrt(vd + 0.05))).tolist(),
        "vd": vd.tolist(),
        "cl": cluster,
        "id": list(range(15)),
        "m1": rng.normal(5, 1, 13).tolist(),
        "m2": rng.normal(4, 1, 13).tolist(),
        "s1": rng.uniform(1, 2, 13).tolist(),
        "s2": rng.uniform(1, 2, 13).tolist(),
        "n": rng.integers(10, 60, 13).tolist(),
        "r": rng.uniform(0.3, 0.8, 13).tolist(),
    }


KNHA = "test='knha'"
TASKS = (
    Task(
        "effect sizes, SMD of 13 trials",
        "lm.effect_size('SMD', mean_1=m1, sd_1=s1, n_1=n, mean_2=m2, sd_2=s2, n_2=n).yi[0]",
        "escalc('SMD', m1i=m1, sd1i=s1, n1i=n, m2i=m2, sd2i=s2, n2i=n)$yi[1]",
        "pimeta.escalc('SMD', m1i=m1, sd1i=s1, n1i=n, m2i=m2, sd2i=s2, n2i=n).yi[0]",
    ),
    Task(
        "effect sizes, crossover in SDs of the outcome (SMCRP)",
        "lm.effect_size("
        "'SMCRP', mean_1=m1, sd_1=s1, mean_2=m2, sd_2=s2, n=n, correlation=r).yi[0]",
        "escalc('SMCRP', m1i=m1, sd1i=s1, m2i=m2, sd2i=s2, ni=n, ri=r)$yi[1]",
        "pimeta.escalc('SMCRP', m1i=m1, sd1i=s1, m2i=m2, sd2i=s2, ni=n, ri=r).yi[0]",
    ),
    Task(
        "Mantel-Haenszel odds ratio",
        "lm.mantel_haenszel('OR', a, n1, c, n2).estimate",
        "rma.mh(measure='OR', ai=a, n1i=n1, ci=c, n2i=n2)$beta",
        "pimeta.rma_mh(a, n1 - a, c, n2 - c).beta",
    ),
    Task(
        "Peto's odds ratio",
        "lm.peto(a, n1, c, n2).estimate",
        "rma.peto(ai=a, n1i=n1, ci=c, n2i=n2)$beta",
        "pimeta.rma_peto(a, n1 - a, c, n2 - c).beta",
    ),
    Task(
        "logit-normal model of proportions",
        "lm.glmm_proportion(a, n1).estimate",
        "rma.glmm(measure='PLO', xi=a, ni=n1)$beta",
        "pimeta.rma_glmm('PLO', xi=a, ni=n1).b",
    ),
    Task(
        "two-arm model of few events",
        "lm.glmm_two_arm(a, n1, c, n2).estimate",
        "rma.glmm(measure='OR', ai=a, n1i=n1, ci=c, n2i=n2, model='CM.EL')$beta",
    ),
    Task(
        "meta-regression and its prediction at five points",
        "lm.meta_regression(yi, vi, x, ci_method='knapp-hartung').predict(x[:5]).estimate[0]",
        f"predict(rma(yi, vi, mods=~x, {KNHA}), newmods=x[1:5])$pred[1]",
        f"pimeta.predict(pimeta.rma(yi, vi, mods=x, {KNHA}), newmods=x[:5, None])[0].pred",
    ),
    Task(
        "two subgroups, their pools and the test between them",
        "lm.subgroups(yi, vi, by=by, ci_method='knapp-hartung').pools[0].estimate",
        f"{{p <- lapply(0:1, function(i) rma(yi[g == i], vi[g == i], {KNHA})); "
        "rma(sapply(p, coef), sei=sapply(p, function(f) f$se), mods=~c(0, 1), method='FE'); "
        f"rma(yi, vi, {KNHA}); coef(p[[1]])}}",
    ),
    Task(
        "effects that share people, three levels, CR2",
        "lm.pool_dependent(yd, vd, cluster=cl).estimate",
        "{f <- rma.mv(yd, vd, random=~1 | cl/id); "
        "clubSandwich::coef_test(f, vcov='CR2', cluster=cl)$beta}",
        "pimeta.rma_mv(yd, vd, random='~ 1 | cl/id', data={'cl': cl, 'id': id}).beta",
    ),
    Task(
        "covariance of effects that share people",
        "lm.covariance_block(vd, cluster=cl, rho=0.5)[0][1]",
        "vcalc(vd, cluster=cl + 1, obs=id + 1, rho=0.5)[1, 2]",
        "pimeta.vcalc(vd, cluster=cl, obs=id, rho=0.5)[0][1]",
    ),
    Task(
        "shares of settings with an important effect, with the pool",
        "lm.setting_shares(lm.pool(yi, vi), 0.2).benefit",
    ),
    Task(
        "prediction interval by bootstrap",
        "lm.pool(yi, vi, pi_method='bootstrap').estimate",
    ),
    Task(
        "Egger's test",
        "small_study.egger_test(yi, vi).p_value",
        "regtest(yi, vi, model='lm')$pval",
        "pimeta.regtest(yi, vi, model='lm').p",
    ),
    Task(
        "Peters' test",
        "small_study.peters_test(a, n1, c, n2).p_value",
    ),
    Task("Harbord's test", "small_study.harbord_test(a, n1, c, n2).p_value"),
    Task(
        "trim and fill",
        "small_study.trim_and_fill(yi, vi).k_filled",
        "trimfill(rma(yi, vi))$k0",
        "pimeta.trimfill(yi, vi).k0",
    ),
    Task(
        "leave one out",
        "without.leave_one_out(yi, vi, ci_method='wald').estimate[0]",
        "leave1out(rma(yi, vi))$estimate[1]",
        "pimeta.leave1out(yi, vi).estimate[0]",
    ),
    Task(
        "influence of each trial",
        "without.influence(yi, vi, ci_method='wald').cooks_distance[0]",
        "influence(rma(yi, vi))$inf$cook.d[1]",
        "pimeta.influence(yi, vi).cook_d[0]",
    ),
    Task(
        "common effect and DerSimonian-Laird",
        "lm.pool(yi, vi, tau2_method='dl', ci_method='wald').estimate",
        "rma(yi, vi, method='DL')$beta",
        "pimeta.rma(yi, vi, method='DL').b",
        "combine_effects(yi, vi, method_re='dl').mean_effect_re",
    ),
)
CONTENDERS = ("ours", "metafor", "pimeta", "statsmodels")


def measure_functions(progress: Callable[[str], None]) -> list[dict[str, Any]]:
    """Return for each round what each contender said: seconds and value by task, and versions."""
    rounds = []
    for turn in range(ROUNDS):
        found = {}
        for contender in CONTENDERS:
            progress(f"round {turn + 1} of {ROUNDS}: {contender}")
            found[contender] = _said(contender)
        rounds.append(found)
    return rounds


def _said(contender: str) -> dict[str, Any]:
    """Run all tasks of a contender in a process of its own."""
    calls = {task.what: getattr(task, contender) for task in TASKS if getattr(task, contender)}
    request = json.dumps({"data": data(), "calls": calls, "budget": BUDGET})
    python = sys.executable if contender == "ours" else str(PEER_PYTHON)
    command = [python, str(HERE / "calls.py")]
    if contender == "metafor":
        command = ["Rscript", "--vanilla", str(HERE / "calls.R")]
    if shutil.which(command[0]) is None:
        return {}
    done = subprocess.run(
        command,
        input=request,
        env=child_variables(ours=contender == "ours"),
        capture_output=True,
        text=True,
        check=False,
    )
    return dict(json.loads(done.stdout)) if done.returncode == 0 else {}


def section(rounds: list[dict[str, Any]], load: tuple[float, float]) -> str:
    """Return the section as Markdown."""
    names = ("ldn_meta", "metafor", "pimeta", "statsmodels")
    versions = [
        f"{name} {rounds[0][contender]['version']}"
        for name, contender in zip(names[1:], CONTENDERS[1:], strict=True)
        if rounds[0][contender]
    ]
    parts = [
        "## Other functions",
        f"{os.cpu_count()} cores, {platform.system()}; Python {platform.python_version()}. Beside "
        f"it: {', '.join(versions)}. CPU milliseconds a call on 13 trials, ten sparse tables or "
        f"15 effects of six trials, and how many times those of ours; medians over {ROUNDS} "
        f"rounds in which the packages take turns (load {load[0]:.1f} at the start, "
        f"{load[1]:.1f} at the end). In brackets the relative difference of one number, where it "
        f"is above {FAR_APART:g}. What a package does not have is empty; what it has under the "
        f"name asked for, and does not answer, is {NOT_AVAILABLE}.",
        table(["", *names], [_line(task, rounds) for task in TASKS]),
    ]
    return "\n\n".join(parts) + "\n"


def _line(task: Task, rounds: list[dict[str, Any]]) -> list[str]:
    cells = [task.what]
    ours = [found["ours"].get("calls", {}).get(task.what) for found in rounds]
    for contender in CONTENDERS:
        if not getattr(task, contender):
            cells.append("")
            continue
        theirs = [found[contender].get("calls", {}).get(task.what) for found in rounds]
        if not all(theirs):
            cells.append(NOT_AVAILABLE)
            continue
        cell = f"{digits(median(one['seconds'] for one in theirs) * 1e3)} ms"
        if contender != "ours" and all(ours):
            ratio = median(a["seconds"] / b["seconds"] for a, b in zip(theirs, ours, strict=True))
            cell += f", {digits(ratio)} times"
            apart = abs(theirs[0]["value"] - ours[0]["value"]) / max(abs(ours[0]["value"]), 1e-6)
            if apart > FAR_APART:
                cell += f" ({apart:.0e})"
        cells.append(cell)
    return cells
