const zero = /^(?:\p{M}|[\u200b-\u200f]|\p{Variation_Selector})$/u;
const wide =
  /^[\p{Emoji_Presentation}\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]$/u;

/** How many columns a text takes on a terminal. Close enough for tables: what a terminal does with rare scripts differs. */
export function textWidth(text: string): number {
  let width = 0;
  for (const char of text) width += zero.test(char) ? 0 : wide.test(char) ? 2 : 1;
  return width;
}

/** The text cut to so many columns, with an ellipsis where something is missing. */
export function cutText(text: string, columns: number): string {
  if (textWidth(text) <= columns) return text;
  let out = "";
  let width = 0;
  for (const char of text) {
    const next = textWidth(char);
    if (width + next > columns - 1) break;
    out += char;
    width += next;
  }
  return `${out}\u2026`;
}

/** Names and messages come from people and from other machines: what would steer the terminal is shown instead. */
export function shownText(text: string): string {
  // eslint-disable-next-line no-control-regex
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, "\ufffd");
}
