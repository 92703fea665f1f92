/** A statement's text in pieces: as it was sent, and where a parameter stood, which. */
export type TextPiece = { at: number; text: string; parameter?: number };

// What holds no parameter: strings, quoted names, comments, and PostgreSQL's dollar-quoted text.
const opaque =
  /'(?:[^']|'')*'?|"(?:[^"]|"")*"?|`[^`]*`?|--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|\$([A-Za-z_]\w*)?\$[\s\S]*?(?:\$\1\$|$)/y;
const numbered = /\$(\d{1,5})(?!\w)/y;

/** Finds `$1` (PostgreSQL) or, where there is none, `?` (MySQL): what a value was bound to can then be shown in its place. */
export function textPieces(text: string, values: number): TextPiece[] {
  if (values === 0) return [{ at: 0, text }];
  const byNumber = split(text, values, false);
  return byNumber.length > 1 ? byNumber : split(text, values, true);
}

function split(text: string, values: number, isMarked: boolean): TextPiece[] {
  const pieces: TextPiece[] = [];
  let from = 0;
  let count = 0;
  for (let at = 0; at < text.length;) {
    opaque.lastIndex = at;
    const skipped = opaque.exec(text);
    if (skipped && skipped[0] !== "") {
      at += skipped[0].length;
      continue;
    }
    numbered.lastIndex = at;
    const number = isMarked ? (text[at] === "?" ? ++count : 0) : Number(numbered.exec(text)?.[1] ?? 0);
    const length = isMarked ? 1 : 1 + String(number).length;
    if (number >= 1 && number <= values) {
      if (at > from) pieces.push({ at: from, text: text.slice(from, at) });
      pieces.push({ at, text: text.slice(at, at + length), parameter: number });
      from = at + length;
      at = from;
    } else at++;
  }
  if (from < text.length) pieces.push({ at: from, text: text.slice(from) });
  return pieces;
}
