import type { Command } from "commander";
import type { Cli } from "../cli.ts";
import { type GatewayOptions, connectAsPerson } from "../connection/mod.ts";
import { askSecrets } from "../output/mod.ts";
import { type OutputOptions, printerFor, usage, withOutput } from "./options.ts";

export function addPasswd(program: Command, cli: Cli): void {
  withOutput(
    program
      .command("passwd")
      .summary("set your own password")
      .description(
        "Sets the password that you sign in with. Whoever signed in with a one-time link in the last quarter of an hour needs " +
          "no password for it. All your other sessions end. From a pipe: the first line is the password that you have, or " +
          "empty, and the second is the new one.",
      )
      .option("--gateway <url>", "the gateway to ask, where you are signed in to several"),
  ).action(async (options: OutputOptions & GatewayOptions) => {
    const { client, where } = await connectAsPerson(options, cli);
    const isAsked = cli.stdin.isTTY === true;
    const [current = "", password = "", again = password] = await askSecrets(
      [
        "current password (empty after a one-time link):",
        "new password:",
        ...(isAsked ? ["the same again:"] : []),
      ],
      cli,
    );
    if (password === "") throw usage("nothing was given as the new password");
    if (password !== again) throw usage("the two are not the same; nothing was changed");
    await client.accounts.setPassword({ password, ...(current !== "" && { current }) });
    printerFor(cli, options).done({ gateway: where }, `your password at ${where} is set`);
  });
}
