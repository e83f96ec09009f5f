"use strict";
/* Which effect each trial brings under the choices made: src/ldn_meta/evidence/effects/rows.py and
   src/ldn_meta/evidence/answer/multiverse.py. What bars an effect was decided by the
   rules there; here they are lifted. */

const LdnSelection = (() => {
  const TAKEN_OUT = { why: "taken out here", choices: [] };

  /** Round to the even neighbour half-way, as numpy does. */
  function roundHalfEven(value) {
    const rounded = Math.round(value);
    return Math.abs(value % 1) === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
  }

  /** Selection, model and changes of the effects themselves that the options come to. */
  function settings(data, options) {
    const changes = Object.assign({}, ...data.nodes.map((n, i) => n.options[options[i]].changes));
    const found = { selection: { ...data.selection }, model: { ...data.model }, ofData: {} };
    for (const [name, value] of Object.entries(changes)) {
      if (name in found.selection) found.selection[name] = value;
      else if (name in found.model) found.model[name] = value;
      else found.ofData[name] = value;
    }
    return found;
  }

  /** The state of an outcome (its candidate effects and their measure) after changes of data. */
  function stateOf(outcome, ofData) {
    const names = Object.keys(ofData);
    return outcome.states.find(
      ({ changes }) =>
        Object.keys(changes).length === names.length &&
        names.every((name) => changes[name] === ofData[name]),
    );
  }

  /** Whether a choice was made: yes, a word, or a list that names something. */
  const isMade = (choice) => (Array.isArray(choice) ? choice.length > 0 : Boolean(choice));

  function windowWords(selection) {
    return `measured outside weeks ${selection.earliest_weeks} to ${selection.latest_weeks}`;
  }

  const listed = (words) =>
    words.length < 2
      ? words.join("")
      : `${words.slice(0, -1).join(", ")} or ${words[words.length - 1]}`;

  /** What was asked beyond the plan's rules bars an effect, each in words: limits() of rows.py. */
  function limitedBy(data, effect, selection, measure) {
    const set = (name) => (selection[name] || []).length > 0;
    const only = (name, cell, words) =>
      set(name) &&
      !selection[name].includes(effect[cell]) &&
      `${words} is not ${listed(selection[name])}`;
    const isNamed = (names) =>
      [effect.study_id, effect.study_label, effect.trial_id].some((one) => names.includes(one));
    const step = data.bias_steps[effect.overall_bias];
    const isOver = set("risk_of_bias") && !(step <= data.bias_steps[selection.risk_of_bias]);
    const isDifference = effect.estimand !== "events" && !data.of_people.includes(measure);
    const [low, high] = selection.dose_mg || [];
    const lowest = effect.dose_low_mg === null ? effect.dose_high_mg : effect.dose_low_mg;
    const isInRange =
      effect.dose_high_mg !== null && lowest >= low && effect.dose_high_mg <= high;
    const doses = `its daily dose is not within ${low} to ${high} mg, or not reported`;
    return [
      set("trials") && !isNamed(selection.trials) && "not one of the trials asked for",
      set("without") && isNamed(selection.without) && "left out as asked",
      only("designs", "design", "its design"),
      only("blinding", "blinding", "its blinding"),
      isOver && `its risk of bias is above ${selection.risk_of_bias}, or nobody judged it`,
      isDifference && only("estimand", "estimand", "what its difference is of"),
      only("population", "analysis_set", "the set of people analysed"),
      set("dose_mg") && !isInRange && doses,
    ].filter(Boolean);
  }

  /** Why an effect may not be used, "" when it may, and the choices that would lift it, if any.
      Beside a limit that somebody asked for, everything that bars it: barred_by() of rows.py. */
  function barredBy(data, effect, selection, measure) {
    const { week } = effect;
    const isOutside = week < selection.earliest_weeks || week > selection.latest_weeks;
    const window = { reason: windowWords(selection), lifted_by: ["latest_weeks"] };
    const stated = effect.bars
      .map((place) => data.rules[place])
      .filter(({ lifted_by: names }) => !names.some((name) => isMade(selection[name])));
    if (effect.has_window && week !== null && isOutside) stated.push(window);
    const limited = limitedBy(data, effect, selection, measure);
    const isAsked = Object.keys(data.limits).concat("without").some((n) => isMade(selection[n]));
    const kept = isAsked ? stated : stated.slice(0, 1);
    const choices = kept.length === 1 && !limited.length ? kept[0].lifted_by : [];
    return { why: [...limited, ...kept.map(({ reason }) => reason)].join("; "), choices };
  }

  const placeIn = (list, word) => (list.includes(word) ? list.indexOf(word) : list.length);

  /** Ranks by each rule in order of precedence; smaller goes first. */
  function ranks(data, effect, selection) {
    // An unknown time is further from the target than any known one.
    const distance =
      effect.week === null ? Infinity : Math.abs(effect.week - selection.target_weeks);
    const kinds = isMade(selection.estimands) ? selection.estimands : selection.estimand || [];
    // Where no kind of difference was asked for, the printed one goes before those that lend its error.
    const isLent = effect.bars.some((place) => data.rules[place].lifted_by.includes("estimands"));
    return [
      placeIn(selection.analysis_sets, effect.analysis_set),
      roundHalfEven(distance),
      kinds.length ? placeIn(kinds, effect.estimand) : Number(isLent),
      placeIn(selection.read_from, effect.read_from),
      effect.is_preferred ? 0 : 1,
      effect.route_rank,
    ];
  }

  /** Negative if the ranks of a go before those of b; of equals, the first by name. */
  function compared(a, b) {
    const place = a.ranks.findIndex((rank, i) => rank !== b.ranks[i]);
    if (place >= 0) return a.ranks[place] < b.ranks[place] ? -1 : 1;
    return a.effect.effect_id < b.effect.effect_id ? -1 : 1;
  }

  /**
   * What each trial of an outcome brings, oldest first.
   * Returns { measure, model, trials } with one entry a trial: trial_id, effect (the one it brings,
   * or would), why it brings none ("" if it does) and the choices that would let it in. `without`: trials taken out by hand.
   */
  function choose(data, outcome, options, without) {
    const { selection, model, ofData } = settings(data, options);
    const state = stateOf(outcome, ofData);
    const byTrial = new Map();
    for (const place of state.effects) {
      const effect = outcome.effects[place];
      const entry = {
        effect,
        ranks: ranks(data, effect, selection),
        ...barredBy(data, effect, selection, state.measure),
      };
      byTrial.set(effect.trial_id, [...(byTrial.get(effect.trial_id) || []), entry]);
    }
    const trials = [...byTrial].map(([trialId, entries]) => {
      const open = entries.filter(({ why }) => why === "");
      const best = (open.length ? open : entries).sort(compared)[0];
      const { effect, why, choices } = best;
      const isOut = without.includes(trialId);
      return { trial_id: trialId, effect, ...(isOut ? TAKEN_OUT : { why, choices }) };
    });
    const key = ({ effect }) => [effect.year === null ? Infinity : effect.year, effect.study_id];
    trials.sort((a, b) => {
      const [x, y] = [key(a), key(b)];
      return x[0] - y[0] || (x[1] < y[1] ? -1 : 1);
    });
    return { measure: state.measure, unit: outcome.unit, model, trials };
  }

  return { choose };
})();

if (typeof module !== "undefined") module.exports = LdnSelection;
