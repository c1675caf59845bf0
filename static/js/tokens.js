// Splits the text of a step into text, maths, code, calculator marks and invisible characters. The sources of the tokens,
// joined, are the text: nothing is ever lost. What only looks like maths ("$5 and $6") stays text.
(() => {
  "use strict";
  const LONGEST_MATHS = 5000;
  const LONGEST_INLINE = 1000;
  const INVISIBLE = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u00ad\u200b\u200e\u200f\u2028-\u202e\u2060-\u2064\u2066-\u2069\ufeff\ufff9-\ufffb]/;
  const STOPS = new RegExp(`[$\\\\\`<]|${INVISIBLE.source}`, "g");
  const NAMES = { "\f": "FF", "\v": "VT", "\x1b": "ESC", "\x08": "BS", "\x07": "BEL", "\u200b": "ZWSP", "\ufeff": "BOM", "\u00ad": "SHY" };
  const ENVIRONMENT = /\\begin\{((?:equation|align|alignat|gather)\*?|array|cases|[bBpvV]?matrix)\}/y;
  const TEXT_COMMAND = /\\(?:text\w*|mathrm|mathbf|mathit|operatorname\*?|mbox|hbox)\s*\{[^{}]*\}/g;
  const TWO_WORDS = /[A-Za-z]?[a-z]{2,}[,;:.]?\s+[A-Za-z]?[a-z]{2,}/;
  const TEX = /[\\^_{]/;

  const prose = (tex) => TWO_WORDS.test(tex.replace(TEXT_COMMAND, " ").replace(/\\[A-Za-z]+/g, " "));
  const maths = (source, tex, display) =>
    tex.trim() && !INVISIBLE.test(tex) ? { kind: "maths", source, tex, display } : null;

  // Where `close` stands unescaped after `from`, at most `limit` characters on and not beyond a blank line; −1 if nowhere.
  const closing = (text, from, close, limit) => {
    const end = Math.min(text.length, from + limit);
    for (let i = from; i < end; i += 1) {
      if (text.startsWith(close, i)) return i;
      if (text[i] === "\\") i += 1;
      else if (text[i] === "\n" && /\n[ \t\r]*\n/y.test(text.slice(i, i + 80))) return -1;
    }
    return -1;
  };

  const delimited = (text, at, open, close, display) => {
    const end = closing(text, at + open.length, close, LONGEST_MATHS);
    if (end < 0) return null;
    return maths(text.slice(at, end + close.length), text.slice(at + open.length, end), display);
  };

  // As in pandoc, no digit after the second dollar; no space inside them, unless TeX stands there; and neither prose nor a sum.
  const dollars = (text, at) => {
    if (text.startsWith("$$", at)) {
      const found = delimited(text, at, "$$", "$$", true);
      return found && !prose(found.tex) ? found : { kind: "text", source: "$$" };
    }
    const end = closing(text, at + 1, "$", LONGEST_INLINE);
    const tex = text.slice(at + 1, end);
    const bad =
      end < 0 ||
      /^<<|\\[([]/.test(tex) ||
      (/^\s|\s$/.test(tex) && !TEX.test(tex)) ||
      /\d/.test(text[end + 1] ?? "") ||
      (/^[\d.,]/.test(tex) && /[-+*/=(]$/.test(tex)) ||
      (/\d/.test(text[at - 1] ?? "") && /^[^\w\\({[]/.test(tex)) ||
      prose(tex);
    return bad ? null : maths(text.slice(at, end + 1), tex, false);
  };

  const environment = (text, at) => {
    ENVIRONMENT.lastIndex = at;
    const name = ENVIRONMENT.exec(text)?.[1];
    if (!name) return null;
    const close = `\\end{${name}}`;
    const end = text.indexOf(close, at);
    if (end < 0 || end - at > LONGEST_MATHS) return null;
    const source = text.slice(at, end + close.length);
    return maths(source, source, true);
  };

  const backslash = (text, at) => {
    const next = text[at + 1];
    if (next === "(") return delimited(text, at, "\\(", "\\)", false);
    if (next === "[") return delimited(text, at, "\\[", "\\]", true);
    // An escaped character is no delimiter: \$ is a dollar, and \\[2pt] ends a line.
    return environment(text, at) ?? (next ? { kind: "text", source: `\\${next}` } : null);
  };

  const pattern = (kind, expression) => (text, at) => {
    expression.lastIndex = at;
    const source = expression.exec(text)?.[0];
    return source ? { kind, source } : null;
  };
  const fence = pattern("code", /(?<=^|\n)```[^`\n]*\n(?:[\s\S]*?\n)??[ \t]*```(?!`)/y); // both on lines of their own
  const inline = pattern("code", /(?<!`)`[^`\n$]*[^`\n$\s]`(?!`)/y);
  const readers = {
    $: dollars,
    "\\": backslash,
    "`": (text, at) => fence(text, at) ?? inline(text, at),
    "<": pattern("calculator", /<<[^<>\n]{1,200}>>/y),
  };
  const invisible = (character) => ({
    kind: "invisible",
    source: character,
    name: NAMES[character] ?? `U+${character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}`,
  });

  const tokenize = (text) => {
    const tokens = [];
    const add = (token) => {
      const last = tokens.at(-1);
      if (token.kind === "text" && last?.kind === "text") last.source += token.source;
      else if (token.source) tokens.push({ ...token });
    };
    let at = 0;
    while (at < text.length) {
      STOPS.lastIndex = at;
      const stop = STOPS.exec(text)?.index ?? text.length;
      add({ kind: "text", source: text.slice(at, stop) });
      if (stop === text.length) break;
      const read = readers[text[stop]] ?? ((_, i) => invisible(text[i]));
      const token = read(text, stop) ?? { kind: "text", source: text[stop] };
      add(token);
      at = stop + token.source.length;
    }
    return tokens;
  };

  window.Stepwise = { ...window.Stepwise, tokenize };
})();
