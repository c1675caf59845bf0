// Keeps a sheet's draft on the server while it is worked on, in this browser while the server is away, and the lease alive.
(() => {
  "use strict";
  const SOON = 600; // ms after the last change
  const IDLE = 10 * 60 * 1000; // who has done nothing for so long has left: the lease may end
  // Storage may be full or forbidden: the draft on the server is then the only one.
  const attempt = (act) => {
    try {
      return act();
    } catch {
      return null;
    }
  };
  const store = {
    get: (key) => attempt(() => JSON.parse(localStorage.getItem(key))),
    set: (key, value) => attempt(() => localStorage.setItem(key, JSON.stringify(value))),
    remove: (key) => attempt(() => localStorage.removeItem(key)),
  };

  class Draft {
    constructor(sheet) {
      this.sheet = sheet;
      this.form = sheet.form;
      this.version = sheet.draft.version;
      this.key = `stepwise-draft-${this.form.dataset.code}`;
      this.kept = Promise.resolve(true);
      this.requests = new Stepwise.Requests(sheet.form);
      this.lastSeen = Date.now();
      this.dirty = false;
      const lease = Number(this.form.dataset.lease);
      if (lease) this.renewing = setInterval(() => this.renew(), (lease * 1000) / 3);
      this.restore();
    }

    // What this browser kept and could not send is newer than what the server has, if it started from that version.
    restore() {
      const left = store.get(this.key);
      store.remove(this.key);
      if (!left || left.version !== this.version) return;
      const { sheet } = this;
      sheet.steps.forEach((_, index) => {
        const said = left.ratings[index] ?? {};
        sheet.setRating(index, said.rating ?? "");
        for (const field of ["reason", "correction"]) sheet.setNote(index, field, said[field] ?? "");
      });
      sheet.undoLog = left.undo;
      this.form.elements.comment.value = left.comment;
      this.unheard = true;
      this.changed();
    }

    say(text, failed = false) {
      const state = document.getElementById("save-state");
      if (!state) return;
      state.textContent = text;
      state.classList.toggle("failed", failed);
    }

    tick() {
      const now = Date.now();
      const { seconds } = this.form.elements;
      seconds.value = (Number(seconds.value) + Math.min(now - this.lastSeen, 30000) / 1000).toFixed(1);
      this.lastSeen = now;
    }

    changed({ soon = SOON } = {}) {
      if (!this.form.dataset.draftUrl) return;
      this.dirty = true;
      this.say("saving");
      clearTimeout(this.timer);
      if (!this.resting) this.timer = setTimeout(() => this.flush(), soon);
    }

    // One save at a time; resolves to whether what was there when it was called is on the server.
    flush() {
      clearTimeout(this.timer);
      this.kept = this.kept.then(() => !this.gone && (!this.dirty || (!this.resting && this.save())));
      return this.kept;
    }

    async save() {
      this.dirty = false;
      const body = { ...this.sheet.toJSON(), version: this.version };
      store.set(this.key, body);
      const reply = await this.requests.post("draft", JSON.stringify(body));
      if (reply?.type === "opaqueredirect") return this.refuse({ kind: "SignedOut" }, reply.status);
      const said = await reply?.json().catch(() => null);
      if (!reply || (reply.ok && !said)) {
        this.dirty = this.unheard = true;
        this.say("not saved", true);
        return false;
      }
      const { unheard } = this;
      this.unheard = false;
      if (!reply.ok) {
        if (!unheard || said?.version !== body.version + 1) return this.refuse(said ?? {}, reply.status);
        // The server had a draft from this page, or from the one that it replaced, and its answer got lost: ours is that, or newer.
        this.version = said.version;
        return this.save();
      }
      this.version = said.version;
      store.remove(this.key);
      if (!this.dirty) this.say("saved");
      return true;
    }

    // To send nothing more until wake(), and to have an answer to all that was sent.
    async rest() {
      this.resting = true;
      clearTimeout(this.timer);
      await this.kept;
      await this.requests.answered();
    }

    wake() {
      this.resting = false;
      if (this.dirty && !this.gone) this.changed();
    }

    refuse({ kind, detail }, status) {
      this.say("not saved", true);
      if (status === 409) this.stop();
      const text = detail ?? `the server refused to save (${status})`;
      this.form.dispatchEvent(new CustomEvent("stepwise:refused", { detail: { kind, text } }));
      return false;
    }

    async renew() {
      if (Date.now() - this.lastSeen > IDLE || this.gone || this.resting) return;
      const reply = await this.requests.post("renew");
      if (reply?.status === 409) this.refuse(await reply.json().catch(() => ({})), 409);
    }

    // A page that goes away keeps what is not sent yet for the one that comes back.
    leave() {
      if (this.dirty && !this.gone) store.set(this.key, { ...this.sheet.toJSON(), version: this.version });
    }

    stop({ forget = false } = {}) {
      this.gone = true;
      clearInterval(this.renewing);
      clearTimeout(this.timer);
      if (forget) store.remove(this.key);
    }
  }

  window.Stepwise = { ...window.Stepwise, Draft };
})();
