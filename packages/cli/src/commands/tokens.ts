import type { Command } from "commander";
import type { Cli } from "../cli.ts";
import { type GatewayOptions, connect, withGateway } from "../connection/mod.ts";
import { type OutputOptions, again, printerFor, usage, withOutput } from "./options.ts";
import { ownerOf } from "./users.ts";

type Options = OutputOptions & GatewayOptions & { user?: string };

export function addTokens(program: Command, cli: Cli): void {
  const tokens = program.command("tokens").summary("what programs sign in with");
  const answering = (command: Command) =>
    withGateway(withOutput(command)).option("--user <name>", "somebody else's, for administrators");

  answering(tokens.command("ls").summary("list tokens")).action(async (options: Options) => {
    const { client } = await connect(options, cli);
    const printer = printerFor(cli, options);
    printer.list(
      (await client.tokens.list(await ownerOf(client, options))).items,
      [
        { title: "name", value: (token) => token.name },
        { title: "for", value: (token) => token.scopes.join(", "), narrowTo: 12 },
        { title: "expires", value: (token) => printer.time(token.expiresAt) },
        { title: "last used", value: (token) => printer.time(token.lastUsedAt) },
        { title: "id", value: (token) => token.id },
      ],
      "no tokens",
    );
  });
  answering(
    tokens
      .command("create")
      .summary("make a token, shown once")
      .description("Makes a token that acts as you, for nothing but the actions named. It is shown once.")
      .argument("<name>", "what it is for"),
  )
    .option("--scope <action>", "session.list, recording.*, ...; may be given again", again)
    .option("--days <count>", "it expires after so many", "90")
    .addHelpText(
      "after",
      `\nExample:\n  $ ${cli.command} tokens create siem --scope audit.read --days 30 > token`,
    )
    .action(async (name: string, options: Options & { scope?: string[]; days: string }) => {
      if (!options.scope) throw usage("say what it is for: --scope session.list");
      const { client } = await connect(options, cli);
      const made = await client.tokens.create(await ownerOf(client, options), {
        name,
        scopes: options.scope,
        days: Number(options.days),
      });
      printerFor(cli, options).done(made, made.token);
    });
  answering(tokens.command("rm").summary("revoke a token").argument("<token-id>", "from `tokens ls`")).action(
    async (id: string, options: Options) => {
      const { client } = await connect(options, cli);
      await client.tokens.remove(await ownerOf(client, options), id);
      printerFor(cli, options).done({ id }, `revoked ${id}`);
    },
  );
}
