import { printable } from "@gatehouse/recording/transcript";

/** The status counts a character as a column, which holds for ASCII only. */
export function asciiLine(text: string): string {
  return printable(text).replaceAll(/[^ -~]/g, "?");
}
