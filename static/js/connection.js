// Says when the server cannot be reached, or answered with an error, and takes it back when it can again.
(() => {
  "use strict";
  const bar = () => document.getElementById("connection");
  const words = {
    offline: "No connection. What you do here is kept in this browser and sent when the connection is back.",
    unreachable: "The server does not answer. Nothing is lost; trying again.",
    403: "You are not allowed to do that. If your rights were changed, reload the page.",
    404: "That no longer exists. Reload the page to see what there is now.",
    500: "The server failed on that request. It was recorded; try again, or reload the page.",
  };
  let probe = null;

  const say = (text) => {
    if (bar().textContent !== text) bar().textContent = text;
    bar().hidden = !text;
  };
  const clear = () => {
    clearInterval(probe);
    probe = null;
    if (bar().hidden) return;
    say("");
    document.dispatchEvent(new CustomEvent("stepwise:online"));
  };
  const ask = () =>
    fetch("/healthz", { cache: "no-store" }).then(
      (reply) => reply.ok && clear(),
      () => undefined,
    );
  const lost = (text) => {
    say(text);
    probe = probe ?? setInterval(ask, 3000);
  };

  window.addEventListener("offline", () => lost(words.offline));
  window.addEventListener("online", ask);
  document.addEventListener("htmx:sendError", () => lost(navigator.onLine ? words.unreachable : words.offline));
  document.addEventListener("htmx:timeout", () => lost(words.unreachable));
  document.addEventListener("htmx:responseError", (event) => {
    const status = event.detail.xhr.status;
    say(words[status] ?? (status >= 500 ? words[500] : `The server refused that request (${status}). Reload the page.`));
  });
  document.addEventListener("htmx:afterRequest", (event) => event.detail.successful && clear());
  document.addEventListener("stepwise:lost", () => lost(navigator.onLine ? words.unreachable : words.offline));
})();
