/** How text is drawn, as the terminal's library keeps it for a cell and for what is written next. */
export type Attributes = {
  isBold(): number;
  isDim(): number;
  isItalic(): number;
  isUnderline(): number;
  isBlink(): number;
  isInverse(): number;
  isInvisible(): number;
  isStrikethrough(): number;
  isOverline(): number;
  isFgRGB(): boolean;
  isBgRGB(): boolean;
  isFgPalette(): boolean;
  isBgPalette(): boolean;
  getFgColor(): number;
  getBgColor(): number;
  getUnderlineStyle(): number;
};

/** The sequence that chooses exactly this, whatever was chosen before (ECMA-48 §8.3.117). */
export function sgrOf(style: Attributes): string {
  const codes: (number | string)[] = [0];
  if (style.isBold()) codes.push(1);
  if (style.isDim()) codes.push(2);
  if (style.isItalic()) codes.push(3);
  if (style.isUnderline()) codes.push(`4:${Math.max(1, style.getUnderlineStyle())}`);
  if (style.isBlink()) codes.push(5);
  if (style.isInverse()) codes.push(7);
  if (style.isInvisible()) codes.push(8);
  if (style.isStrikethrough()) codes.push(9);
  if (style.isOverline()) codes.push(53);
  if (style.isFgRGB() || style.isFgPalette()) codes.push(color(38, style.isFgRGB(), style.getFgColor()));
  if (style.isBgRGB() || style.isBgPalette()) codes.push(color(48, style.isBgRGB(), style.getBgColor()));
  return `\u001b[${codes.join(";")}m`;
}

function color(of: 38 | 48, isRgb: boolean, value: number): string {
  if (isRgb) return `${of};2;${(value >> 16) & 255};${(value >> 8) & 255};${value & 255}`;
  // The sixteen have codes of their own. Those and an index of 256 colours are drawn alike, and are not the same to the library.
  if (value < 8) return String(of - 8 + value);
  if (value < 16) return String(of + 52 + value - 8);
  return `${of};5;${value}`;
}
