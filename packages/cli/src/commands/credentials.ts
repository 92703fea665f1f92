import type { Command } from "commander";
import type { Cli } from "../cli.ts";
import { type GatewayOptions, connect, withGateway } from "../connection/mod.ts";
import { SilentExit, exitCodes } from "../output/mod.ts";
import { type OutputOptions, printerFor, withOutput } from "./options.ts";

export function addCredentials(program: Command, cli: Cli): void {
  const credentials = program.command("credentials").summary("the secrets that the gate keeps, as a whole");
  withGateway(
    withOutput(
      credentials
        .command("rekey")
        .summary("seal all stored secrets anew under a new key")
        .description(
          "Makes a new key, seals all stored secrets anew under it, and drops the old one when nothing needs it. Run again after it was cut off, it goes on where it was. Exit code 1 when something could not be opened; no key is dropped then.",
        ),
    ),
  ).action(async (options: OutputOptions & GatewayOptions) => {
    const { client } = await connect(options, cli);
    const done = await client.credentials.rekey();
    printerFor(cli, options).done(
      done,
      [
        `sealed ${done.resealed} secrets anew under the key ${done.keyId}; ${done.keysDropped} old keys are gone`,
        ...done.unreadable.map((id) => `could not be opened: ${id}`),
      ].join("\n"),
    );
    if (done.unreadable.length > 0) throw new SilentExit(exitCodes.failed);
  });
}
