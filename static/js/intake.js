// The upload form: drop a file on it, see what its first rows would become, watch it being sent.
(() => {
  "use strict";
  const HEAD = 1 << 20; // as intake's preview
  const form = document.getElementById("upload");
  const drop = form.querySelector(".drop");
  const file = form.elements.file;
  const place = document.getElementById("look");
  const sent = document.getElementById("sent");
  let asked = 0;
  let sending = false;

  const look = async () => {
    const [chosen] = file.files;
    if (!chosen) return;
    const body = new FormData(form);
    body.delete("file");
    body.append("head", chosen.slice(0, HEAD), chosen.name);
    const mine = ++asked;
    const reply = await fetch(form.dataset.look, { method: "POST", body }).catch(() => null);
    if (mine !== asked) return; // a later choice was made meanwhile
    if (reply?.ok) place.innerHTML = await reply.text();
    else place.querySelector("p").textContent = "The server could not look into it now. It can still be loaded.";
  };

  const send = (event) => {
    if (!file.files.length) return;
    event.preventDefault();
    if (sending) return;
    sending = true;
    const request = new XMLHttpRequest();
    request.upload.addEventListener("progress", (step) => {
      sent.hidden = false;
      sent.max = step.total || 1;
      sent.value = step.loaded;
    });
    request.addEventListener("load", () => {
      const where = request.getResponseHeader("HX-Redirect");
      if (where) return location.assign(where);
      document.open(); // the page again, saying what is wrong
      document.write(request.responseText);
      document.close();
    });
    request.addEventListener("error", () => {
      sent.hidden = true;
      sending = false;
      document.dispatchEvent(new CustomEvent("stepwise:lost"));
    });
    request.open("POST", form.action);
    request.setRequestHeader("HX-Request", "true");
    request.send(new FormData(form));
  };

  ["dragenter", "dragover"].forEach((name) =>
    drop.addEventListener(name, (event) => {
      event.preventDefault();
      drop.classList.add("over");
    }),
  );
  ["dragleave", "drop"].forEach((name) => drop.addEventListener(name, () => drop.classList.remove("over")));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    if (!event.dataTransfer.files.length) return;
    file.files = event.dataTransfer.files;
    look();
  });
  form.addEventListener("change", look);
  form.addEventListener("submit", send);
})();
