// What a sheet asks of the server, one thing after another: a rating is there before its evidence is asked for and stays until
// that has come, and an assignment ends when nothing of it is under way, for the server refuses what comes after.
(() => {
  "use strict";
  const PATIENCE = 20000; // ms, as htmx has it

  class Requests {
    constructor(form) {
      this.form = form;
      this.last = this.lastEvidence = Promise.resolve();
    }

    // The reply, or null where none came.
    post(name, body = "") {
      const headers = { "X-CSRFToken": this.form.elements.csrfmiddlewaretoken.value, "Content-Type": "application/json" };
      // Who is signed out is sent to sign in. That is not followed: it would lead back here, with a GET, once they have.
      const options = { method: "POST", headers, body, keepalive: body.length < 60000, redirect: "manual" };
      return this.next(() =>
        fetch(this.form.dataset[`${name}Url`], { ...options, signal: AbortSignal.timeout(PATIENCE) }).catch(() => {
          document.dispatchEvent(new CustomEvent("stepwise:lost"));
          return null;
        }),
      );
    }

    // Asks once all that was asked before has been answered, well or badly.
    next(ask) {
      const reply = this.last.then(ask);
      this.last = reply.catch(() => undefined);
      return reply;
    }

    // As next, but whatever else is asked meanwhile goes first: who rates fast leaves much evidence to fetch behind.
    evidence(ask) {
      this.lastEvidence = this.lastEvidence.then(() => this.next(ask)).catch(() => undefined);
    }

    async answered() {
      for (let last; last !== this.last; await last) last = this.last;
    }
  }

  window.Stepwise = { ...window.Stepwise, Requests };
})();
