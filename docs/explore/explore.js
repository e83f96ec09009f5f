"use strict";
/* Binds the controls of the page to the analysis: reads choices, shows answer, plot and address. */

(() => {
  const { alternatives, analyse, fingerprint, protocolOptions } = LdnAnalysis;
  const { asked, explorable, mainOutcome, read, written } = LdnFragment;
  const { draw } = LdnForest;
  const { rows } = LdnRows;
  const wording = LdnWording;
  const sentence = LdnSentence;

  const data = JSON.parse(document.getElementById("explore-data").textContent);
  const byId = (id) => document.getElementById(id);
  let view = read(data, location.hash);
  let isFirst = true;

  function element(name, attributes, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  }

  /** Width of a text as the plot writes it. */
  function ruler() {
    const canvas = document.createElement("canvas").getContext("2d");
    const family = getComputedStyle(document.body).fontFamily;
    return (text, isBold) => {
      canvas.font = `${isBold ? "bold " : ""}13px ${family}`;
      return canvas.measureText(text).width;
    };
  }

  function fillSelect(select, entries, chosen) {
    select.replaceChildren(
      ...entries.map(([value, words]) => {
        const option = element("option", { value }, words);
        option.selected = value === chosen;
        return option;
      }),
    );
  }

  const current = () =>
    analyse(asked(data, view), view.indication, view.outcome, view.options, view.without);
  const protocols = () => analyse(data, view.indication, view.outcome, protocolOptions(data), []);
  const isProtocol = () =>
    view.options.every((place) => place === 0) &&
    view.without.length === 0 &&
    Object.keys(view.limits).length === 0;

  function showOutcomes() {
    const { indication, outcome } = view;
    const conditions = explorable(data).map((one) => [one.indication_id, one.label]);
    fillSelect(byId("indication"), conditions, indication.indication_id);
    const outcomes = indication.outcomes.map((one) => [one.construct, one.label]);
    fillSelect(byId("outcome"), outcomes, outcome.construct);
  }

  function showAnswer(analysis, own) {
    const [first, more] = sentence.answer(data, analysis);
    byId("answer").textContent = first;
    byId("more").textContent = more;
    byId("distance").textContent = sentence.distance(data, analysis, own, isProtocol());
    byId("departures").textContent = sentence.departures(data, view, analysis);
    byId("back").disabled = isProtocol();
    const { unknown } = view;
    byId("unknown").textContent = unknown.length
      ? `The address asks for what this page does not know, which was left aside: ${unknown.join(", ")}.`
      : "";
  }

  function showPlot(analysis, own) {
    const width = Math.floor(byId("plot").clientWidth);
    const beside = fingerprint(analysis) === fingerprint(own) ? null : own;
    byId("plot").innerHTML = draw(data, analysis, beside, width, ruler());
    const kinds = new Set(rows(data, analysis, beside).map(({ kind }) => kind));
    byId("caption").textContent = sentence.caption(data, analysis, kinds);
  }

  /** One box a trial, with what it brings or why it brings nothing. */
  function showTrials(analysis) {
    const boxes = analysis.trials.map((trial) => {
      const id = trial.trial_id;
      const box = element("input", { type: "checkbox", id: `trial-${id}`, value: id });
      box.checked = !view.without.includes(id);
      const label = element("label", { for: box.id }, trial.effect.study_label);
      const about = element("span", { class: "hint" }, sentence.trial(data, trial, analysis));
      const page = data.study_pages[trial.effect.study_id];
      const more = page ? [" ", element("a", { href: page }, "its page")] : [];
      box.setAttribute("aria-describedby", `${box.id}-about`);
      about.id = `${box.id}-about`;
      return element("li", {}, box, label, about, ...more);
    });
    byId("trials").replaceChildren(...boxes);
  }

  /** What an option alone would give, as its text. */
  function optionText(option, { result, isRatio }) {
    const { estimate, ci_low: low, ci_high: high } = result;
    const told = Number.isFinite(estimate) ? wording.effect(estimate, low, high, isRatio) : "no estimate";
    return `${option.name}: ${told}`;
  }

  function showNodes() {
    data.nodes.forEach((node, place) => {
      const { indication, outcome, options, without } = view;
      const tried = alternatives(asked(data, view), indication, outcome, options, without, place);
      const select = byId(`node-${place}`);
      const entries = node.options.map((option, i) => [String(i), optionText(option, tried[i])]);
      fillSelect(select, entries, String(options[place]));
      const isIdle = new Set(tried.map(fingerprint)).size === 1;
      select.closest("div").hidden = isIdle && options[place] === 0;
      byId(`node-${place}-hint`).textContent = isIdle ? "Changes nothing here." : "";
    });
    const idle = document.querySelectorAll("#nodes > [hidden]").length;
    byId("idle").textContent = idle ? `Not shown: ${idle} that change nothing here.` : "";
  }

  /** What is shown as files: the figure, its trials, and a script that pools them in R. */
  function showFiles({ used, level, result }) {
    const quoted = (words) => `"${String(words).replaceAll('"', '""')}"`;
    const rows = used.map((e) => [quoted(e.study_label), e.yi, e.vi].join(","));
    const table = ["label,yi,vi", ...rows, ""].join("\n");
    const name = result.tau2_method;
    const method = name === "common" ? "EE" : String(name).toUpperCase();
    const isPrior = result.ci_method === "bayesian";
    const test = { "knapp-hartung": "knha", "knapp-hartung-floored": "adhoc" }[result.ci_method] || "z";
    const script = [
      "library(metafor)",
      ...(isPrior ? ["# The page reads this by a prior; metafor has none: its own pool."] : []),
      `trials <- read.csv(text = '${table.replaceAll("'", "\\'")}')`,
      `pool <- rma(yi, vi, data = trials, slab = label, method = "${method}", test = "${test}", level = ${100 * level})`,
      "print(pool)",
      "forest(pool)",
      "",
    ].join("\n");
    const made = [
      ["Figure as SVG", "explore.svg", "image/svg+xml", byId("plot").innerHTML],
      ["Trials as CSV", "explore.csv", "text/csv", table],
      ["R script (metafor)", "explore.R", "text/plain", script],
    ];
    byId("files").replaceChildren(
      ...made.map(([words, download, type, text]) => {
        const href = `data:${type};charset=utf-8,${encodeURIComponent(text)}`;
        return element("a", { href, download }, words);
      }),
    );
    byId("files").hidden = result.k === 0;
  }

  function show() {
    const analysis = current();
    const own = protocols();
    showOutcomes();
    showAnswer(analysis, own);
    showTrials(analysis);
    showNodes();
    showPlot(analysis, own);
    showFiles(analysis);
    const address = written(data, view);
    // The browser's own button undoes a choice; the first view is not one.
    const keep = isFirst ? "replaceState" : "pushState";
    if (location.hash !== address) history[keep](null, "", address);
    isFirst = false;
  }

  /** Show another view and keep the keyboard where it was: lists are made anew. */
  function change(changes) {
    const focused = document.activeElement.id;
    view = { ...view, unknown: [], ...changes };
    show();
    if (focused && byId(focused)) byId(focused).focus();
  }

  /** The controls that stay: a list for each question of the protocol. */
  function build() {
    const lists = data.nodes.map((node, place) => {
      const id = `node-${place}`;
      const select = element("select", { id, "aria-describedby": `${id}-hint ${id}-why` });
      select.addEventListener("change", () => {
        const options = view.options.map((old, i) => (i === place ? Number(select.value) : old));
        change({ options });
      });
      return element(
        "div",
        { class: "choice" },
        element("label", { for: id }, wording.capitalised(node.name)),
        select,
        element("span", { class: "hint", id: `${id}-hint` }),
        element("span", { class: "hint why", id: `${id}-why` }, node.reason),
      );
    });
    byId("nodes").replaceChildren(...lists);
    byId("indication").addEventListener("change", (event) => {
      const indication = explorable(data).find((one) => one.indication_id === event.target.value);
      change({ indication, outcome: mainOutcome(indication), without: [] });
    });
    byId("outcome").addEventListener("change", (event) => {
      const named = ({ construct }) => construct === event.target.value;
      change({ outcome: view.indication.outcomes.find(named), without: [] });
    });
    byId("trials").addEventListener("change", (event) => {
      const { value, checked } = event.target;
      const others = view.without.filter((trial) => trial !== value);
      change({ without: checked ? others : [...others, value] });
    });
    byId("back").addEventListener("click", () => {
      change({ options: protocolOptions(data), without: [], limits: {} });
      // A button that is off cannot keep the keyboard.
      byId("indication").focus();
    });
    window.addEventListener("hashchange", () => {
      if (location.hash !== written(data, view)) change(read(data, location.hash));
    });
    let shownWidth = byId("plot").clientWidth;
    window.addEventListener("resize", () => {
      if (byId("plot").clientWidth === shownWidth) return;
      shownWidth = byId("plot").clientWidth;
      showPlot(current(), protocols());
    });
  }

  if (explorable(data).length > 0) {
    document.body.classList.add("is-live");
    build();
    show();
  }
})();
