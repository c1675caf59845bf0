// What a sheet asks of the server, until it has been answered: an assignment ends only when nothing of it is under way any more,
// for the server refuses what comes after.
(() => {
  "use strict";

  class Requests {
    constructor(form) {
      this.form = form;
      this.open = new Set();
    }

    // The reply, or null where none came.
    post(name, body = "") {
      const headers = { "X-CSRFToken": this.form.elements.csrfmiddlewaretoken.value, "Content-Type": "application/json" };
      const reply = fetch(this.form.dataset[`${name}Url`], { method: "POST", headers, body, keepalive: body.length < 60000 });
      return this.follow(
        reply.catch(() => {
          document.dispatchEvent(new CustomEvent("stepwise:lost"));
          return null;
        }),
      );
    }

    follow(reply) {
      const done = () => this.open.delete(reply);
      this.open.add(reply);
      reply.then(done, done);
      return reply;
    }

    async answered() {
      while (this.open.size) await Promise.allSettled(this.open);
    }
  }

  window.Stepwise = { ...window.Stepwise, Requests };
})();
