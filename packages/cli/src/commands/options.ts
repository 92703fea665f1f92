import { GatehouseError } from "@gatehouse/kernel";
import { type Command, Option } from "commander";
import type { Cli } from "../cli.ts";
import { type OutputFormat, type Printer, createPrinter, outputFormats, shownText } from "../output/mod.ts";
import { parseMoment } from "../player/moment.ts";

export type OutputOptions = { format: OutputFormat; json?: boolean; utc?: boolean };

/** Every command that answers takes these. */
export function withOutput(command: Command): Command {
  return command
    .addOption(
      new Option("-f, --format <format>", "how to print").choices([...outputFormats]).default("text"),
    )
    .option("--json", "short for --format json")
    .option("--utc", "times in UTC instead of this machine's zone");
}

export function printerFor(cli: Cli, options: OutputOptions): Printer {
  const isTerminal = cli.stdout.isTTY === true;
  return createPrinter({
    format: options.json ? "json" : options.format,
    utc: options.utc === true,
    // no-color.org: any value that is not empty.
    color: isTerminal && !cli.env["NO_COLOR"] && cli.env["TERM"] !== "dumb",
    columnsMax: isTerminal ? cli.stdout.columns || undefined : undefined,
    write: (text) => cli.stdout.write(text),
  });
}

/**
 * What has to stand with what follows. Machines are told beside their answer, whose form is its list: whoever shows that to people
 * has to show this too.
 */
export function sayWatermark(watermark: string | null, printer: Printer, cli: Cli): void {
  if (watermark === null) return;
  if (printer.format === "text") printer.line(printer.bold(shownText(watermark)));
  else cli.stderr.write(`watermark: ${shownText(watermark)}\n`);
}

/** The command line was wrong; nothing was done. */
export function usage(message: string, hint?: string): GatehouseError {
  return new GatehouseError({ code: "invalid", op: "cli.usage", message, hint });
}

/** A moment of a recording, in microseconds. */
export function momentOf(text: string): number {
  const us = parseMoment(text);
  if (us === undefined) throw usage(`${text} is no moment`, "Write 83s, 1m23s or 1:23.");
  return us;
}

/** For what is read on this machine; the secrets stand in files, for a command line is seen by others. */
export function withIdentity(command: Command): Command {
  return command
    .option(
      "-i, --identity <file>",
      "a file of age identities (AGE-SECRET-KEY-1...) that open an encrypted recording; may be given again",
      again,
    )
    .option(
      "--key-service <service>",
      "a key service that opens it: aws=<key>, gcp=<key>, azure=<key>, vault=<key>, or a configuration file with a section kms; " +
        "credentials as its own tools find them; may be given again",
      again,
    );
}

/** Collects an option that may be given again. */
export function again(value: string, before: string[] | undefined): string[] {
  return [...(before ?? []), value];
}

/** `key=value`. */
export function labelOf(text: string): [string, string] {
  const at = text.indexOf("=");
  if (at < 1) throw usage(`${text} is no label`, "Write key=value.");
  return [text.slice(0, at), text.slice(at + 1)];
}
