/** Whose SQL it is: the two differ in what quotes and comments are. */
export type Dialect = "postgres" | "mysql";

export type Token = {
  /**
   * `word`: a keyword or a plain name, or a number; `name`: a quoted name; `string`: a literal; `body`: PostgreSQL's
   * dollar-quoted text; `comment`; `parameter`: `$1` or `?`; `symbol`: any other character.
   */
  readonly kind: "word" | "name" | "string" | "body" | "comment" | "parameter" | "symbol";
  readonly from: number;
  readonly to: number;
  /** What lies between the quotes, as it stands there; `from` and `to` where there are none. */
  readonly innerFrom: number;
  readonly innerTo: number;
};

const word = /[\p{L}_\p{N}\u0080-\uffff][\p{L}\p{N}_$\u0080-\uffff]*/uy;
const dollar = /\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$/y;
const numbered = /\$\d+/y;
const prefixes: Record<Dialect, RegExp> = {
  postgres: /^(?:[ebxn]|u&)$/i,
  mysql: /^(?:[nxb]|_\w+)$/i,
};

/** The tokens of a text, white space left out. What is not closed lasts to the end. It never fails: a server may. */
export function* tokens(text: string, dialect: Dialect): Generator<Token> {
  for (let at = 0; at < text.length;) {
    const token = tokenAt(text, at, dialect);
    if (token) yield token;
    at = token?.to ?? at + 1;
  }
}

function tokenAt(text: string, at: number, dialect: Dialect): Token | undefined {
  const first = text[at] as string;
  if (/\s/.test(first)) return undefined;
  const comment = commentEnd(text, at, dialect);
  if (comment)
    return { kind: "comment", from: at, to: comment.to, innerFrom: comment.from, innerTo: comment.to };
  switch (first) {
    case "'":
      return quoted(text, at, at, "string", dialect === "mysql");
    case '"':
      return quoted(text, at, at, dialect === "mysql" ? "string" : "name", dialect === "mysql");
    case "`":
      if (dialect === "mysql") return quoted(text, at, at, "name", false);
      break;
    case "?":
      if (dialect === "mysql") return plain("parameter", at, at + 1);
      break;
    case "$": {
      if (dialect !== "postgres") break;
      const parameter = match(numbered, text, at);
      if (parameter) return plain("parameter", at, at + parameter.length);
      const tag = match(dollar, text, at);
      if (!tag) break;
      const innerFrom = at + tag.length;
      const close = text.indexOf(tag, innerFrom);
      const innerTo = close < 0 ? text.length : close;
      return { kind: "body", from: at, to: Math.min(text.length, innerTo + tag.length), innerFrom, innerTo };
    }
  }
  const found = match(word, text, at);
  if (!found) return plain("symbol", at, at + 1);
  let to = at + found.length;
  let prefix = found;
  if (dialect === "postgres" && /^u$/i.test(found) && text[to] === "&") {
    prefix = "u&";
    to++;
  }
  const quote = text[to];
  if (quote === "'" && prefixes[dialect].test(prefix))
    return quoted(text, at, to, "string", dialect === "mysql" || /^e$/i.test(prefix));
  if (quote === '"' && prefix === "u&") return quoted(text, at, to, "name", false);
  return plain("word", at, at + found.length);
}

function quoted(text: string, from: number, open: number, kind: "string" | "name", escapes: boolean): Token {
  const quote = text[open];
  let at = open + 1;
  for (; at < text.length; at++) {
    if (escapes && text[at] === "\\") at++;
    else if (text[at] === quote) {
      if (text[at + 1] !== quote) break;
      at++;
    }
  }
  const innerTo = Math.min(at, text.length);
  return { kind, from, to: Math.min(at + 1, text.length), innerFrom: open + 1, innerTo };
}

/** PostgreSQL's comments nest; MySQL's end at the first end, begin with `#` too, and its `--` wants a space behind it. */
function commentEnd(text: string, at: number, dialect: Dialect): { from: number; to: number } | undefined {
  const two = text.slice(at, at + 2);
  if (
    (two === "--" && (dialect === "postgres" || /^[\s\0]?$/.test(text.charAt(at + 2)))) ||
    (dialect === "mysql" && two[0] === "#")
  ) {
    const end = text.indexOf("\n", at);
    return { from: at + (two[0] === "#" ? 1 : 2), to: end < 0 ? text.length : end };
  }
  if (two !== "/*") return undefined;
  let depth = 1;
  let to = at + 2;
  while (to < text.length && depth > 0) {
    if (text.startsWith("*/", to)) {
      depth--;
      to += 2;
    } else if (dialect === "postgres" && text.startsWith("/*", to)) {
      depth++;
      to += 2;
    } else to++;
  }
  return { from: at + 2, to };
}

function plain(kind: "word" | "parameter" | "symbol", from: number, to: number): Token {
  return { kind, from, to, innerFrom: from, innerTo: to };
}
function match(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}
