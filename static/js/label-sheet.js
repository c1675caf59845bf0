// The state of one labelling sheet: ratings, notes, undo log, current step. The form's own fields hold it, so the page works
// and submits without this; here it is kept, changed in undoable actions, and painted.
(() => {
  "use strict";
  const BAD = "-1";
  const UNDO_KEPT = 500;
  const WORDS = { correction: "correction", reason: "why" };

  class Sheet {
    constructor(form) {
      this.form = form;
      this.steps = [...form.querySelectorAll(".step")];
      this.values = new Map();
      for (const input of form.querySelectorAll(".rate:checked")) this.values.set(this.indexOf(input), input.value);
      for (const area of form.querySelectorAll(".note textarea")) area.dataset.kept = area.value;
      this.draft = JSON.parse(form.querySelector("#draft").textContent);
      this.undoLog = this.draft.undo;
      this.current = -1;
    }

    indexOf(element) {
      return Number(element.closest(".step").dataset.index);
    }

    asked(index) {
      return this.steps[index].classList.contains("asked");
    }

    firstError() {
      const bad = [...this.values].filter(([, value]) => value === BAD).map(([index]) => index);
      return bad.length ? Math.min(...bad) : -1;
    }

    // Asked steps up to the first error that have no rating yet.
    missing() {
      const end = this.firstError() < 0 ? this.steps.length : this.firstError();
      return this.steps.map((_, index) => index).filter((i) => i < end && this.asked(i) && !this.values.has(i));
    }

    finish() {
      return this.form.elements.finish.value;
    }

    note(index, field) {
      return this.form.elements[`${field}-${index}`] ?? null;
    }

    // One undoable action: [{index, field: "rating"|"reason"|"correction", to}].
    act(changes) {
      const done = changes
        .map((change) => ({ ...change, from: this.read(change) }))
        .filter((change) => change.from !== change.to);
      if (!done.length) return false;
      this.undoLog.push(done);
      this.undoLog.splice(0, this.undoLog.length - UNDO_KEPT);
      this.write(done, "to");
      return true;
    }

    undo() {
      const done = this.undoLog.pop();
      if (!done) return -1;
      this.write(done, "from");
      return done[0].index;
    }

    read({ index, field }) {
      if (field === "rating") return this.values.get(index) ?? "";
      return this.note(index, field)?.dataset.kept ?? "";
    }

    write(changes, side) {
      for (const change of changes) {
        if (change.field === "rating") this.setRating(change.index, change[side]);
        else this.setNote(change.index, change.field, change[side]);
      }
      this.form.dispatchEvent(new CustomEvent("stepwise:changed", { bubbles: true, detail: { changes } }));
    }

    setRating(index, value) {
      if (value) this.values.set(index, value);
      else this.values.delete(index);
      for (const input of this.steps[index].querySelectorAll(".rate")) input.checked = input.value === value;
    }

    setNote(index, field, text) {
      const area = text ? this.openNote(index, field) : this.note(index, field);
      if (!area) return;
      area.value = area.dataset.kept = text;
      if (!text) area.closest(".note").remove();
    }

    openNote(index, field) {
      const found = this.note(index, field);
      if (found) return found;
      const label = document.createElement("label");
      const word = document.createElement("span");
      const area = document.createElement("textarea");
      label.className = "note";
      word.textContent = WORDS[field];
      Object.assign(area, { name: `${field}-${index}`, rows: 1 });
      label.append(word, area);
      this.steps[index].querySelector(".notes").append(label);
      return area;
    }

    select(index, { scroll = true } = {}) {
      if (index < 0 || index >= this.steps.length) return;
      this.steps[this.current]?.removeAttribute("aria-current");
      this.current = index;
      const step = this.steps[index];
      step.setAttribute("aria-current", "step");
      step.focus({ preventScroll: true });
      if (scroll) this.keepInMiddle(step);
    }

    // The current step stays in the middle third of what the footer leaves; a step taller than that starts at its upper edge.
    keepInMiddle(step) {
      const { top, bottom } = step.getBoundingClientRect();
      const height = innerHeight - this.form.querySelector(".foot").offsetHeight;
      if (top >= height / 3 && bottom <= (2 * height) / 3) return;
      const target = bottom - top >= height / 3 ? height / 3 : (height - (bottom - top)) / 2;
      scrollBy({ top: top - target, behavior: "instant" });
    }

    paint() {
      const error = this.firstError();
      this.steps.forEach((step, index) => {
        step.classList.toggle("after", error >= 0 && index > error);
        if (this.values.has(index)) step.classList.remove("missing");
      });
    }

    toJSON() {
      const ratings = {};
      for (const [index, rating] of this.values) {
        ratings[index] = { rating };
        for (const field of ["reason", "correction"]) {
          const text = this.note(index, field)?.value.trim();
          if (text) ratings[index][field] = text;
        }
      }
      const { comment, seconds } = this.form.elements;
      return { ratings, undo: this.undoLog, comment: comment.value, seconds: Number(seconds.value) || 0 };
    }
  }

  window.Stepwise = { ...window.Stepwise, Sheet };
})();
