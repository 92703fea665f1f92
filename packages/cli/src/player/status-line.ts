import { printable } from "@gatehouse/recording/transcript";

/** What a watermark must not lose by something else: it comes first, so that a narrow terminal cuts the rest. */
export function statusLine(watermark: string | undefined, text: string): string {
  return printable(watermark === undefined ? text : ` ${watermark} |${text}`);
}
