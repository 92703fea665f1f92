import { type Dialect, type Token, tokens } from "./tokens.ts";

/** A statement's text without its secrets, and the numbers (from 1) of the parameters that stand for such. */
export type Masked = { text: string; parameters: ReadonlySet<number> };

const mask = "'***'";
/** A text without any of these holds nothing that is masked: nearly all are done with here. */
const hint =
  /pass|pwd|identified|connection|dblink|crypt|secret|token|api_?key|access_?key|private_?key|credential|authentication|:\/\//i;
const secretName =
  /^(?:\w*_)?(?:password|passwd|passphrase|pwd|secret|secret_?key|api_?key|access_?key|private_?key|token|credentials?|authentication_string|connection)(?:_(?:hash|digest))?$/i;
/** Words between the name of a secret and the secret itself. */
const between = new Set(["to", "by", "using", "is", "not", "like", "binary", "password", "old_password"]);
/** What ends MySQL's IDENTIFIED of one account. */
const identifiedEnds = new Set(["require", "account", "comment", "attribute"]);
/** Those of pgcrypto and MySQL that take a password or key. */
const secretFunctions =
  /^(?:dblink_connect(?:_u)?|crypt|pgp_(?:sym|pub)_(?:en|de)crypt(?:_bytea)?|(?:en|de)crypt(?:_iv)?|hmac|password|old_password|aes_(?:en|de)crypt|des_(?:en|de)crypt)$/i;
/** Their first argument is a connection. */
const connectionFunctions = /^dblink(?:_exec|_open|_send_query)?$/i;
/** A literal that is a connection string, a URI with a password, or a document with one. */
const telling = /(?:password|passwd|passphrase|pwd|secret|token)["']*\s*[:=]\s*\S|:\/\/[^/\s:@]*:[^/\s@]+@/i;
/** A text in a text in a text: deeper it is masked as a whole. */
const depthMax = 4;

/** Undefined where nothing is to be masked. It reads tokens: what is a name, a literal or a comment is told apart. */
export function maskSecrets(text: string, dialect: Dialect, depth = 0): Masked | undefined {
  if (!hint.test(text)) return undefined;
  if (depth > depthMax) return { text: mask, parameters: new Set() };
  const reader = new SecretReader(dialect);
  const parameters = new Set<number>();
  let marks = 0;
  let done = 0;
  let masked = "";
  const replace = (from: number, to: number, by: string) => {
    masked += text.slice(done, from) + by;
    done = to;
  };
  for (const token of tokens(text, dialect)) {
    const inner = text.slice(token.innerFrom, token.innerTo);
    const isSecret = reader.read(token, inner);
    switch (token.kind) {
      case "parameter": {
        const number = inner === "?" ? ++marks : Number(inner.slice(1));
        if (isSecret) parameters.add(number);
        break;
      }
      case "string":
        if (isSecret || tells(inner, dialect, depth)) replace(token.from, token.to, mask);
        break;
      case "body":
      case "comment": {
        const within = isSecret ? undefined : maskSecrets(inner, dialect, depth + 1);
        if (isSecret) replace(token.from, token.to, mask);
        else if (within) replace(token.innerFrom, token.innerTo, within.text);
        break;
      }
      case "word":
      case "name":
      case "symbol":
        break;
    }
  }
  if (masked === "" && done === 0 && parameters.size === 0) return undefined;
  return { text: masked + text.slice(done), parameters };
}

/** Whether a literal holds a secret by itself: as a connection string, or as a statement that is run later. */
function tells(inner: string, dialect: Dialect, depth: number): boolean {
  if (!hint.test(inner)) return false;
  return telling.test(inner) || maskSecrets(unescaped(inner), dialect, depth + 1) !== undefined;
}
function unescaped(inner: string): string {
  return inner.replaceAll("''", "'").replaceAll(/\\(.)/gs, "$1");
}

/** Goes along the tokens and knows of each literal whether it is a secret by its place. */
class SecretReader {
  readonly #dialect: Dialect;
  /** The next literal is one. `user`: it is the account whose password is set, and one comes after it. */
  #armed: false | true | "user" = false;
  #identified = false;
  #depth = 0;
  /** Within the parentheses of these depths everything is one; `first`: up to the comma. */
  #inside: { depth: number; first: boolean }[] = [];
  #called: "all" | "first" | undefined;

  constructor(dialect: Dialect) {
    this.#dialect = dialect;
  }

  read({ kind }: Token, inner: string): boolean {
    const called = this.#called;
    if (kind !== "comment") this.#called = undefined;
    switch (kind) {
      case "word":
      case "name":
        this.#word(inner.toLowerCase(), kind === "word");
        return false;
      case "symbol":
        this.#symbol(inner, called);
        return false;
      case "comment":
        return false;
      default:
        return this.#armed === true || this.#identified || this.#inside.length > 0;
    }
  }

  #word(word: string, plain: boolean): void {
    if (secretFunctions.test(word)) this.#called = "all";
    else if (connectionFunctions.test(word)) this.#called = "first";
    if (plain && word === "identified") this.#identified = true;
    else if (this.#identified && identifiedEnds.has(word)) this.#identified = false;
    // MySQL: SET PASSWORD FOR 'account'@'host' = '...'
    if (this.#armed === true && word === "for" && this.#dialect === "mysql") this.#armed = "user";
    else if (secretName.test(word)) this.#armed = true;
    else if (this.#armed === true && !between.has(word)) this.#armed = false;
  }

  #symbol(symbol: string, called: "all" | "first" | undefined): void {
    switch (symbol) {
      case "(":
        this.#depth++;
        if (called !== undefined || this.#armed === true)
          this.#inside.push({ depth: this.#depth, first: called === "first" });
        return;
      case ")":
        if (this.#inside.at(-1)?.depth === this.#depth) this.#inside.pop();
        this.#depth--;
        this.#armed = false;
        return;
      case ",":
        if (this.#inside.at(-1)?.first && this.#inside.at(-1)?.depth === this.#depth) this.#inside.pop();
        this.#ends();
        return;
      case ";":
        this.#inside = [];
        this.#depth = 0;
        this.#ends();
        return;
      case "=":
        if (this.#armed === "user") this.#armed = true;
        return;
      default:
        return;
    }
  }
  #ends(): void {
    this.#armed = false;
    this.#identified = false;
  }
}

/** Of a server's words about a masked statement: it may repeat a part of it, between quotes. */
export function withoutQuoted(message: string): string {
  const from = message.search(/['"`]/);
  if (from < 0) return message;
  const to = Math.max(message.lastIndexOf("'"), message.lastIndexOf('"'), message.lastIndexOf("`"));
  return `${message.slice(0, from)}${mask}${to > from ? message.slice(to + 1) : ""}`;
}
