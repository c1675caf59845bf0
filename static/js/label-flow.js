// From one solution to the next: lays a sheet on the desk, shows evidence beneath rated steps, hands in, and says what went wrong.
(() => {
  "use strict";
  const { desk, Sheet, Draft } = Stepwise;
  const one = (selector) => document.querySelector(selector);
  let ending = false; // by handing in, or by skipping
  let held = null; // where the current step stood before something came in above it

  const notice = (text) => {
    const line = document.createElement("p");
    line.className = "message error";
    line.textContent = text;
    one("#refused").replaceChildren(line);
  };

  // Only once the rating is on the server, which shows no evidence on a step that is not rated.
  const showEvidence = async (index) => {
    const { sheet, draft } = desk;
    const place = one(`#evidence-${index}`);
    if (sheet.form.dataset.evidence !== "after_rating" || place.dataset.loaded) return;
    if (!(await draft.flush())) return;
    draft.requests.evidence(() => {
      if (draft.resting || !sheet.form.isConnected || place.dataset.loaded || !sheet.values.has(index)) return null;
      place.dataset.loaded = "yes";
      return htmx.ajax("POST", `${sheet.form.dataset.evidenceUrl}${index}/`, { target: place, swap: "innerHTML" });
    });
  };

  const changed = ({ detail: { changes } }) => {
    const rated = changes.filter((change) => change.field === "rating");
    desk.draft.changed();
    if (rated.length) showEvidence(rated.at(-1).index);
    desk.paint();
  };

  const refused = ({ detail: { kind, text } }) => {
    const words = {
      StaleDraft: "This solution was changed in another window. Reload the page to go on from there.",
      LeaseGone: `Not saved: ${text}. Your ratings stand here until you reload the page for another solution.`,
      SignedOut: "You are signed out. Your ratings are kept in this browser: sign in again in another tab, then reload this page.",
    };
    notice(words[kind] ?? `Not saved: ${text}. Your ratings are kept in this browser: reload the page to try again.`);
  };

  const lay = (work) => {
    desk.draft?.stop({ forget: true });
    desk.sheet = desk.draft = null;
    ending = false;
    scrollTo({ top: 0, behavior: "instant" });
    if (!work.matches("form")) return (work.querySelector("[autofocus]") ?? one("#main")).focus();
    const sheet = (desk.sheet = new Sheet(work));
    work.addEventListener("stepwise:changed", changed);
    work.addEventListener("stepwise:refused", refused);
    desk.draft = new Draft(sheet);
    const next = sheet.missing()[0] ?? Math.max(sheet.firstError(), 0);
    return desk.go(next, { scroll: sheet.values.size > 0 });
  };

  // What is missing is said, and gone to, before anything is sent.
  const complete = () => {
    const { sheet } = desk;
    const missing = sheet.finish() ? [] : sheet.missing();
    if (!missing.length) return true;
    missing.forEach((index) => sheet.steps[index].classList.add("missing"));
    desk.go(missing[0]);
    const also = missing.length > 1 ? `, nor ${missing.length - 1} more` : "";
    desk.verdict(`Step ${missing[0] + 1} is not rated yet${also}`, true);
    return false;
  };

  const mayDrop = () => {
    const rated = desk.sheet.values.size;
    return !rated || confirm(`Skip this solution? Your ${rated} rating${rated > 1 ? "s" : ""} of it will be dropped.`);
  };

  document.addEventListener("htmx:confirm", async (event) => {
    const { elt } = event.detail;
    const skipping = elt.id === "skip";
    if (!skipping && elt !== desk.sheet?.form) return;
    event.preventDefault();
    if (ending || !(skipping ? mayDrop() : complete())) return;
    ending = true;
    one("#refused").replaceChildren();
    // A disagreement has no draft to keep first, and what is skipped needs none.
    if (!skipping && elt.dataset.draftUrl && !(await desk.draft.flush())) ending = false;
    else desk.draft.rest().then(() => event.detail.issueRequest(true));
  });
  document.addEventListener("htmx:afterRequest", ({ detail: { elt } }) => {
    const { form } = desk.sheet ?? {};
    if (!form || (elt !== form && !(elt.id === "skip" && form.contains(elt)))) return;
    ending = false;
    desk.draft.wake();
  });

  document.addEventListener("htmx:beforeSwap", (event) => {
    const step = desk.sheet?.steps[desk.sheet.current];
    held = event.detail.target.matches(".evidence") && step ? { step, top: step.getBoundingClientRect().top } : null;
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    const { target } = event.detail;
    if (target.id === "work") lay(one("#work"));
    else if (held?.step.isConnected) scrollBy({ top: held.step.getBoundingClientRect().top - held.top, behavior: "instant" });
    held = null;
  });

  document.addEventListener("stepwise:online", () => desk.draft?.dirty && desk.draft.flush());
  window.addEventListener("pagehide", () => desk.draft?.leave());

  lay(one("#work"));
})();
