"use strict";
/* The choices as the fragment of an address, so that a view can be sent to somebody:
   #headache/pain_intensity/time=nearest-to-26-weeks/designs=parallel/without=ames2001
   What a run chooses (-p designs=parallel, -p tau2_method=dl) the page chooses by the same words. */

const LdnFragment = (() => {
  const WITHOUT = "without";
  // Choices of a run that are methods of pooling, and those that the plan calls otherwise.
  const METHODS = ["tau2_method", "ci_method", "pi_method"];
  const FIELDS = { correlation: "within_person", timepoint_weeks: "target_weeks" };

  const slug = (name) =>
    name
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, "-")
      .replace(/^-|-$/g, "");

  /** The data with what a view asks beyond the plan; what a limit needs is let in, as in Python. */
  function asked(data, { limits = {} }) {
    const { selection } = data;
    const own = Object.entries(limits);
    const model = Object.fromEntries(own.filter(([name]) => METHODS.includes(name)));
    const limited = Object.fromEntries(own.filter(([name]) => !METHODS.includes(name)));
    const first = (words, all) => [...words, ...all.filter((word) => !words.includes(word))];
    const more = {};
    const { blinding } = limits;
    if (blinding && blinding.join() !== "double-blind") more.allow_single_blind = true;
    if (limits.population) more.analysis_sets = first(limits.population, selection.analysis_sets);
    return {
      ...data,
      model: { ...data.model, ...model },
      selection: { ...selection, ...more, ...limited },
    };
  }

  /** The value of a limit in an address; null where it holds what is not known. */
  function limit(data, name, text) {
    const parts = text.split(",");
    if (name === "dose_mg") {
      const ends = parts.map(Number);
      return ends.length === 2 && ends[0] <= ends[1] ? ends : null;
    }
    const words = parts.map((part) => data.limits[name].find((word) => slug(word) === slug(part)));
    if (words.includes(undefined)) return null;
    return name === "risk_of_bias" || METHODS.includes(name) ? words[0] : words;
  }

  /** The option of a node that is a choice of a run and nothing else: [node, option], or none. */
  function optionOf(data, key, value) {
    const field = FIELDS[key] || key;
    const isIt = ({ changes }) =>
      Object.keys(changes).join() === field && slug(String(changes[field])) === slug(value);
    const node = data.nodes.findIndex(({ options }) => options.some(isIt));
    return node < 0 ? [] : [node, data.nodes[node].options.findIndex(isIt)];
  }

  /** Indications that have something to explore. */
  const explorable = (data) => data.indications.filter(({ outcomes }) => outcomes.length > 0);

  /** The outcome of the condition's own question, else its first. */
  function mainOutcome(indication) {
    const { outcomes, main_construct: main } = indication;
    return outcomes.find(({ construct }) => construct === main) || outcomes[0];
  }

  /** Write only what departs from the protocol. */
  function written(data, view) {
    const changed = data.nodes
      .map((node, i) => [node, view.options[i]])
      .filter(([, place]) => place !== 0)
      .map(([node, place]) => `${slug(node.name)}=${slug(node.options[place].name)}`);
    const out = view.without.length ? [`${WITHOUT}=${[...view.without].sort().join(",")}`] : [];
    const limits = Object.entries(view.limits || {}).map(([name, value]) => {
      const words = name === "dose_mg" ? value : [value].flat().map(slug);
      return `${name}=${words.join(",")}`;
    });
    const { indication, outcome } = view;
    const parts = [indication.indication_id, outcome.construct, ...changed, ...limits, ...out];
    return `#${parts.join("/")}`;
  }

  /** Read a fragment; `unknown` lists the parts that mean nothing here and were left aside. */
  function read(data, fragment) {
    const parts = fragment.replace(/^#/, "").split("/").filter(Boolean);
    const unknown = [];
    const [name, construct] = parts.filter((part) => !part.includes("="));
    const known = explorable(data);
    const indication = known.find((one) => one.indication_id === name) || known[0];
    if (name && indication.indication_id !== name) unknown.push(name);
    const own = indication.outcomes.find((one) => one.construct === construct);
    const outcome = own || mainOutcome(indication);
    if (construct && !own) unknown.push(construct);
    const options = data.nodes.map(() => 0);
    let without = [];
    const limits = {};
    for (const part of parts.filter((one) => one.includes("="))) {
      const [key, value] = part.split("=", 2);
      const place = data.nodes.findIndex((node) => slug(node.name) === key);
      const option =
        place < 0 ? -1 : data.nodes[place].options.findIndex((one) => slug(one.name) === value);
      const bound = key in data.limits ? limit(data, key, value) : null;
      const [other, chosen] = optionOf(data, key, value);
      if (option >= 0) options[place] = option;
      else if (chosen > 0) options[other] = chosen;
      else if (bound !== null) limits[key] = bound;
      else if (key === WITHOUT) {
        const trials = outcome.effects.map((effect) => effect.trial_id);
        const asked = value.split(",");
        without = asked.filter((trial) => trials.includes(trial));
        unknown.push(...asked.filter((trial) => !trials.includes(trial)));
      } else unknown.push(part);
    }
    return { indication, outcome, options, without, limits, unknown };
  }

  return { asked, explorable, mainOutcome, read, written };
})();

if (typeof module !== "undefined") module.exports = LdnFragment;
