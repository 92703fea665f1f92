/**
 * output: what the command says, and how it ends.
 *
 * Owns: tables, JSON and YAML of answers, times, amounts, progress, questions, files that are
 * written whole, the words of an error and exit codes.
 * Never: asks a gateway anything, or prints a secret that it was not told to print.
 */
export { ask, askSecret, askSecrets } from "./ask.ts";
export { formatBytes, formatDuration } from "./amounts.ts";
export { exitCodes, exitCodeOf, SilentExit } from "./exit-codes.ts";
export { printError } from "./print-error.ts";
export { type OutputFormat, outputFormats, type Printer, createPrinter } from "./printer.ts";
export { createProgress, whileSaying } from "./progress.ts";
export { replaceFile } from "./replace-file.ts";
export { renderTable, type Column } from "./table.ts";
export { cutText, shownText, textWidth } from "./text-width.ts";
export { writeAll } from "./write-all.ts";
