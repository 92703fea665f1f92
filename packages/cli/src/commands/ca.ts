import { type Command, Argument } from "commander";
import type { Cli } from "../cli.ts";
import { type GatewayOptions, connect, withGateway } from "../connection/mod.ts";

const which = ["ssh-host", "ssh-user", "database", "recordings", "grpc"] as const;

export function addCa(program: Command, cli: Cli): void {
  withGateway(
    program
      .command("ca")
      .summary("print the gateway's public keys")
      .description(
        "Prints a public key of the gateway: ssh-host signs the certificates it shows to ssh, ssh-user those that it shows to targets, database those that people come to databases with, recordings signs what was recorded; grpc is the certificate that its gRPC API shows.",
      )
      .addArgument(new Argument("<key>", "which one").choices([...which])),
  )
    .addHelpText(
      "after",
      `
Examples:
  $ echo "@cert-authority * $(${cli.command} ca ssh-host)" >> ~/.ssh/known_hosts
  $ ${cli.command} ca recordings > gateway.pem && ${cli.command} verify session.tar --trusted-key gateway.pem`,
    )
    .action(async (key: (typeof which)[number], options: GatewayOptions) => {
      const { client } = await connect(options, cli);
      const read = {
        "ssh-host": client.ca.sshHost,
        "ssh-user": client.ca.sshUser,
        database: client.ca.database,
        recordings: client.ca.recordings,
        grpc: client.ca.grpc,
      };
      cli.stdout.write(await read[key]());
    });
}
