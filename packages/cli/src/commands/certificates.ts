import type { Certificate } from "@gatehouse/contracts/rest";
import type { Command } from "commander";
import type { Cli } from "../cli.ts";
import { type GatewayOptions, connect, withGateway } from "../connection/mod.ts";
import { fetchCertificate } from "../ssh/mod.ts";
import { type OutputOptions, printerFor, usage, withOutput } from "./options.ts";
import { ownerOf } from "./users.ts";

type Options = OutputOptions & GatewayOptions & { user?: string };

export function addCertificates(program: Command, cli: Cli): void {
  const certificates = program
    .command("certificates")
    .summary("what ssh and clients of databases come through the gate with");
  const answering = (command: Command) => withGateway(withOutput(command));
  const somebodys = (command: Command) =>
    answering(command).option("--user <name>", "somebody else's, for administrators");

  answering(
    certificates
      .command("new")
      .summary("get a new certificate for ssh")
      .description(
        "Makes a key pair and has the gate certify it, as `login` does, without signing in again. Both go into your ssh-agent, " +
          "or into a file.",
      ),
  )
    .option("--identity-file <file>", "put the key here, and its certificate beside it")
    .action(async (options: OutputOptions & GatewayOptions & { identityFile?: string }) => {
      const { client, where } = await connect(options, cli);
      const kept = await fetchCertificate(client, where, cli, options.identityFile);
      if (!kept)
        throw usage(
          "there is no ssh-agent to put the key into",
          "Start one (`eval $(ssh-agent)`), or name a file with --identity-file.",
        );
      const printer = printerFor(cli, options);
      printer.done(
        kept,
        `certificate ${kept.serial} in ${kept.place}, until ${printer.time(kept.expiresAt)}`,
      );
    });
  somebodys(certificates.command("ls").summary("list the certificates that are good now")).action(
    async (options: Options) => {
      const { client } = await connect(options, cli);
      const printer = printerFor(cli, options);
      printer.list(
        await client.certificates.list(await ownerOf(client, options)),
        [
          { title: "serial", value: (one) => one.serial },
          { title: "for", value: opens },
          { title: "key", value: (one) => one.fingerprint, narrowTo: 16 },
          { title: "issued", value: (one) => printer.time(one.issuedAt) },
          { title: "expires", value: (one) => printer.time(one.expiresAt) },
          { title: "last used", value: (one) => printer.time(one.lastUsedAt) },
        ],
        "no certificates",
      );
    },
  );
  somebodys(
    certificates
      .command("revoke")
      .summary("revoke a certificate")
      .argument("<serial>", "from `certificates ls`"),
  ).action(async (serial: string, options: Options) => {
    const { client } = await connect(options, cli);
    await client.certificates.remove(await ownerOf(client, options), serial);
    printerFor(cli, options).done({ serial }, `revoked ${serial}`);
  });
}

/** What it comes in by, or to. */
function opens({ kind, target, login }: Certificate): string {
  if (target) return login === null ? target.name : `${login}+${target.name}`;
  return kind === "ssh" ? "ssh" : "every database";
}
