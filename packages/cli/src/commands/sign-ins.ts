import type { Command } from "commander";
import type { Cli } from "../cli.ts";
import { type GatewayOptions, connect, withGateway } from "../connection/mod.ts";
import { type OutputOptions, printerFor, usage, withOutput } from "./options.ts";
import { ownerOf } from "./users.ts";

type Options = OutputOptions & GatewayOptions & { user?: string };

export function addSignIns(program: Command, cli: Cli): void {
  const signIns = program.command("sign-ins").summary("where you are signed in");
  const answering = (command: Command) =>
    withGateway(withOutput(command)).option("--user <name>", "somebody else's, for administrators");

  answering(signIns.command("ls").summary("list browsers and command lines that are signed in")).action(
    async (options: Options) => {
      const { client } = await connect(options, cli);
      const printer = printerFor(cli, options);
      printer.list(
        await client.signIns.list(await ownerOf(client, options)),
        [
          { title: "from", value: (one) => `${one.remoteAddress}${one.current ? " (this one)" : ""}` },
          { title: "by", value: (one) => one.method },
          { title: "client", value: (one) => one.client, narrowTo: 16 },
          { title: "since", value: (one) => printer.time(one.createdAt) },
          { title: "last seen", value: (one) => printer.time(one.lastSeenAt) },
          { title: "second factor", value: (one) => printer.time(one.mfaAt) },
          { title: "id", value: (one) => one.id },
        ],
        "signed in nowhere",
      );
    },
  );
  answering(
    signIns
      .command("revoke")
      .summary("end a sign-in, or all others")
      .description("Ends it at once, with the certificates that came with it. Sessions that are live go on.")
      .argument("[sign-in-id]", "from `sign-ins ls`"),
  )
    .option("--others", "all but the one that asks")
    .action(async (id: string | undefined, options: Options & { others?: boolean }) => {
      if ((id === undefined) === (options.others !== true))
        throw usage("say which: an id from `sign-ins ls`, or --others");
      const { client } = await connect(options, cli);
      const owner = await ownerOf(client, options);
      const printer = printerFor(cli, options);
      if (id === undefined) {
        const { ended } = await client.signIns.endOthers(owner);
        printer.done({ ended }, `ended ${ended}`);
      } else {
        await client.signIns.end(owner, id);
        printer.done({ id }, `ended ${id}`);
      }
    });
}
