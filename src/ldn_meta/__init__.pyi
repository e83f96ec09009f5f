"""The public names, each once, with their homes; ``__init__.py`` reads them from here."""

from ldn_meta.display.figures.albatross import albatross_plot as albatross_plot
from ldn_meta.display.figures.directions import effect_direction_plot as effect_direction_plot
from ldn_meta.display.figures.directions import harvest_plot as harvest_plot
from ldn_meta.display.figures.forest import cumulative_plot as cumulative_plot
from ldn_meta.display.figures.forest import forest_plot as forest_plot
from ldn_meta.display.figures.funnel import funnel_plot as funnel_plot
from ldn_meta.display.figures.next_trial import next_trial_plot as next_trial_plot
from ldn_meta.display.figures.sequential import sequential_plot as sequential_plot
from ldn_meta.display.figures.specification import specification_curve as specification_curve
from ldn_meta.display.pages.certainty import certainty as certainty
from ldn_meta.display.pages.claims import claims as claims
from ldn_meta.display.pages.dose import dose as dose
from ldn_meta.display.pages.effect import pooled_effect as pooled_effect
from ldn_meta.display.pages.included import included_trials as included_trials
from ldn_meta.display.pages.overview import overview as overview
from ldn_meta.display.pages.people import responder_rates as responder_rates
from ldn_meta.display.pages.people import safety as safety
from ldn_meta.display.pages.printed_numbers import printed_numbers as printed_numbers
from ldn_meta.display.pages.robustness import robustness as robustness
from ldn_meta.display.pages.study import study_page as study_page
from ldn_meta.display.pages.without_pooling import without_pooling as without_pooling
from ldn_meta.evidence.answer.multiverse import multiverse as multiverse
from ldn_meta.evidence.effects.effects import normalise as normalise
from ldn_meta.evidence.load import load_evidence as load_evidence
from ldn_meta.evidence.raw.protocol import Protocol as Protocol
from ldn_meta.evidence.raw.protocol import load_protocol as load_protocol
from ldn_meta.evidence.raw.tables import Evidence as Evidence
from ldn_meta.stats.bayes import BayesResult as BayesResult
from ldn_meta.stats.bayes import TauPrior as TauPrior
from ldn_meta.stats.bayes import pool_bayes as pool_bayes
from ldn_meta.stats.bayes import pool_bayes_many as pool_bayes_many
from ldn_meta.stats.bayes import prior_sensitivity as prior_sensitivity
from ldn_meta.stats.bayes import rhodes_prior as rhodes_prior
from ldn_meta.stats.bayes import turner_prior as turner_prior
from ldn_meta.stats.dose import dose_for as dose_for
from ldn_meta.stats.effects import effect_size as effect_size
from ldn_meta.stats.pool import PooledResult as PooledResult
from ldn_meta.stats.pool import pool as pool
from ldn_meta.stats.pool import pool_many as pool_many
from ldn_meta.stats.rare_events import glmm_proportion as glmm_proportion
from ldn_meta.stats.rare_events import mantel_haenszel as mantel_haenszel
from ldn_meta.stats.rare_events import peto as peto
from ldn_meta.stats.regression import meta_regression as meta_regression
from ldn_meta.stats.sequential import sequential_look as sequential_look

__all__: list[str]
