// Typesets what tokens.js finds in every element marked data-maths. Without scripts, or where KaTeX cannot read a formula,
// the source stands there as text. What is far from the screen waits until it comes near.
(() => {
  "use strict";
  const SETTINGS = { throwOnError: true, strict: "ignore", trust: false, maxSize: 20, maxExpand: 500 };

  const sources = new WeakMap();
  const sourceOf = (place) => sources.get(place) ?? place.textContent;

  const element = (name, text) => {
    const made = document.createElement("span");
    made.className = name;
    made.textContent = text;
    return made;
  };

  const formula = (token) => {
    const made = element(token.display ? "maths display" : "maths", "");
    try {
      katex.render(token.tex, made, { ...SETTINGS, displayMode: token.display });
    } catch (error) {
      if (!(error instanceof katex.ParseError)) throw error;
      return document.createTextNode(token.source);
    }
    // Delimiters too stay in the document, where a search of its text finds them.
    made.querySelector("annotation").textContent = token.source;
    return made;
  };

  const made = {
    text: (token) => document.createTextNode(token.source),
    maths: formula,
    code: (token) => element("code", token.source),
    calculator: (token) => element("calculator", token.source),
    invisible: (token) => {
      const mark = element("invisible", token.source);
      mark.dataset.name = token.name;
      return mark;
    },
  };

  const typeset = (place) => {
    if (place.dataset.typeset) return;
    place.dataset.typeset = "yes";
    sources.set(place, place.textContent);
    const tokens = Stepwise.tokenize(place.textContent);
    if (tokens.every((token) => token.kind === "text")) return;
    place.replaceChildren(...tokens.map((token) => made[token.kind](token)));
    const width = place.clientWidth;
    const wide = [...place.querySelectorAll(".maths")].filter((one) => width && one.scrollWidth > width);
    wide.forEach((one) => {
      one.classList.add("wide");
      one.tabIndex = 0; // it scrolls sideways, so the keyboard must reach it
      one.setAttribute("role", "group");
      one.setAttribute("aria-label", "wide formula");
    });
  };

  const near = new IntersectionObserver(
    (entries) => {
      for (const entry of entries) {
        if (!entry.isIntersecting) continue;
        near.unobserve(entry.target);
        typeset(entry.target);
      }
    },
    { rootMargin: "800px 0px" },
  );

  // What is on the screen is set at once, before it is painted; the rest when it comes near.
  const watch = (root) => {
    const places = [...root.querySelectorAll("[data-maths]:not([data-typeset])")];
    if (root.matches?.("[data-maths]:not([data-typeset])")) places.unshift(root);
    let onScreen = true;
    for (const place of places) {
      onScreen = onScreen && place.getBoundingClientRect().top < innerHeight;
      if (onScreen) typeset(place);
      else near.observe(place);
    }
  };

  window.Stepwise = { ...window.Stepwise, typeset, sourceOf };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", () => watch(document));
  else watch(document);
  document.addEventListener("htmx:afterSwap", (event) => watch(event.detail.elt));
  document.addEventListener("htmx:oobAfterSwap", (event) => watch(event.detail.target));
})();
