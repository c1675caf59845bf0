// The labelling page by keyboard and pointer. label-sheet.js is the state, label-draft.js keeps it, label-flow.js goes from one
// solution to the next.
(() => {
  "use strict";
  const RATINGS = { bad: "-1", neutral: "0", good: "1", unsure: "unsure" };
  const KEYS = {
    1: "bad", b: "bad", 2: "neutral", n: "neutral", 3: "good", g: "good", 4: "unsure", u: "unsure",
    j: "next", ArrowDown: "next", k: "previous", ArrowUp: "previous", e: "first", z: "undo", w: "correct", x: "why",
    s: "skip", "?": "keys", o: "unfold", h: "answer", p: "faulty", Enter: "submit",
  }; // prettier-ignore
  const SAME_MOVE = 600; // ms: who types "3 j" fast means one step on, and rating has already gone there
  const one = (selector) => document.querySelector(selector);
  const desk = { sheet: null, draft: null }; // what lies on the desk now; label-flow.js lays it there
  window.Stepwise = { ...window.Stepwise, desk };
  let moved = null; // where rating a step went by itself, and when

  const verdict = (text, missing = false) => {
    one("#verdict").textContent = text;
    one("#verdict").classList.toggle("missing", missing);
  };

  const paint = () => {
    desk.sheet.paint();
    const rating = desk.sheet.values.get(desk.sheet.current);
    const show = (name, yes) => desk.sheet.form.querySelectorAll(`[data-do="${name}"]`).forEach((act) => (act.hidden = !yes));
    show("undo", desk.sheet.undoLog.length > 0);
    show("first", rating !== RATINGS.bad);
    show("correct", rating === RATINGS.bad);
    show("why", rating !== undefined);
    const left = desk.sheet.missing().length;
    const error = desk.sheet.firstError();
    if (desk.sheet.finish()) verdict("");
    else if (left) verdict(`${left} to rate`);
    else verdict(error < 0 ? "no step is wrong" : `first error: step ${error + 1}`);
  };

  const go = (index, options) => {
    desk.sheet.select(index, options);
    paint();
  };

  const rate = (value) => {
    const index = desk.sheet.current;
    if (!desk.sheet.steps[index].querySelector(`.rate[value="${value}"]`)) return;
    desk.sheet.act([{ index, field: "rating", to: value }]);
    const following = value === RATINGS.bad ? undefined : desk.sheet.missing().find((i) => i > index);
    if (following === undefined) return paint();
    moved = { sheet: desk.sheet, at: performance.now() };
    return go(following);
  };

  const write = (field) => {
    const area = desk.sheet.openNote(desk.sheet.current, field);
    const text = desk.sheet.steps[desk.sheet.current].querySelector(".passage");
    if (field === "correction" && !area.value) area.value = Stepwise.sourceOf(text);
    area.focus();
    area.setSelectionRange(area.value.length, area.value.length);
  };

  const submit = () => desk.sheet.form.requestSubmit(one("#submit"));

  const actions = {
    next: () => {
      const same = moved?.sheet === desk.sheet && performance.now() - moved.at < SAME_MOVE;
      moved = null;
      if (!same) go(Math.min(desk.sheet.current + 1, desk.sheet.steps.length - 1));
    },
    previous: () => go(Math.max(desk.sheet.current - 1, 0)),
    first: () => {
      const before = desk.sheet.steps.map((_, i) => i).filter((i) => i < desk.sheet.current && desk.sheet.asked(i) && !desk.sheet.values.has(i));
      const good = before.map((index) => ({ index, field: "rating", to: RATINGS.good }));
      desk.sheet.act([...good, { index: desk.sheet.current, field: "rating", to: RATINGS.bad }]);
      paint();
    },
    undo: () => {
      const index = desk.sheet.undo();
      if (index >= 0) go(index);
    },
    correct: () => desk.sheet.values.get(desk.sheet.current) === RATINGS.bad && write("correction"),
    why: () => desk.sheet.values.has(desk.sheet.current) && write("reason"),
    skip: () => one("#skip")?.click(),
    keys: () => one("#keys").showModal(),
    unfold: () => desk.sheet.steps[desk.sheet.current].querySelector(".unfold")?.click(),
    answer: () => one("#answer")?.toggleAttribute("open"),
    faulty: () => {
      const { finish } = desk.sheet.form.elements;
      finish.value = finish.value ? "" : "bad_problem";
      paint();
    },
    submit,
  };
  for (const [name, value] of Object.entries(RATINGS)) actions[name] = () => rate(value);

  // May this key act, or does what has the focus need it?
  const free = (event) => {
    const { target, key } = event;
    if (event.ctrlKey || event.metaKey || event.altKey || one("dialog[open]") || one("details.menu[open]")) return false;
    if (target.matches("textarea, input:not([type='radio'], [type='checkbox']), select")) return false;
    if (target.matches("a, button, summary, input[type='checkbox']")) return key !== "Enter" && key !== " ";
    return !(target.matches("input[type='radio']:not(.rate)") && key.startsWith("Arrow"));
  };

  document.addEventListener("keydown", (event) => {
    if (!desk.sheet?.form.isConnected) return;
    desk.draft.tick();
    if (event.key === "Escape" && event.target.matches("textarea")) return desk.sheet.steps[desk.sheet.current].focus();
    const action = actions[KEYS[event.key]];
    if (!action || !free(event)) return;
    event.preventDefault();
    action();
  });

  document.addEventListener("click", (event) => {
    if (!desk.sheet?.form.isConnected) return;
    const act = event.target.closest("[data-do]");
    const step = event.target.closest(".step");
    if (act && act.dataset.do !== "skip") actions[act.dataset.do]();
    if (event.target.matches(".rate") && desk.sheet.values.get(desk.sheet.indexOf(event.target)) === event.target.value)
      desk.sheet.act([{ index: desk.sheet.indexOf(event.target), field: "rating", to: "" }]); // a second click takes it back
    if (step && !event.target.matches("textarea")) go(Number(step.dataset.index), { scroll: false });
  });

  document.addEventListener("change", (event) => {
    const { target } = event;
    if (!desk.sheet?.form.contains(target)) return;
    if (target.matches(".rate")) desk.sheet.act([{ index: desk.sheet.indexOf(target), field: "rating", to: target.value }]);
    if (target.matches(".note textarea")) {
      const [field, index] = target.name.split("-");
      const same = target.value === Stepwise.sourceOf(desk.sheet.steps[index].querySelector(".passage"));
      desk.sheet.act([{ index: Number(index), field, to: same ? "" : target.value.trim() }]);
      if (!target.value.trim() || same) target.closest(".note").remove();
    }
    if (target.matches("[name='comment']")) desk.draft.changed();
    paint();
  });

  Object.assign(desk, { go, paint, verdict });
})();
