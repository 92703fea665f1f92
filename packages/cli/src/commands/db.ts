import { spawn } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Connection } from "@gatehouse/contracts/rest";
import { GatehouseError } from "@gatehouse/kernel";
import type { Command } from "commander";
import type { Cli } from "../cli.ts";
import { type GatewayOptions, connect, createProfiles, withGateway } from "../connection/mod.ts";
import { SilentExit, exitCodes } from "../output/mod.ts";
import { type OutputOptions, printerFor, withOutput } from "./options.ts";
import { targetCalled } from "./targets.ts";

type LoginOptions = OutputOptions & GatewayOptions & { login: string; database?: string };
type ConnectOptions = GatewayOptions & { login: string; database?: string };

export function addDb(program: Command, cli: Cli): void {
  const db = program.command("db").summary("databases through the gate, with their own clients");
  const aimed = (command: Command) =>
    command
      .argument("<target>")
      .requiredOption("--login <name>", "the account on it")
      .option("--database <name>", "which database; left out, the one that is called as the account");

  withGateway(
    withOutput(
      aimed(
        db
          .command("login")
          .summary("print an address for any client, good for minutes")
          .description(
            "Prints a URI with a connection secret of yours. It opens new connections until it expires; those that are open stay.",
          ),
      ),
    ),
  )
    .addHelpText(
      "after",
      `\nExample:\n  $ psql "$(${cli.command} db login orders --login app --database shop)"`,
    )
    .action(async (name: string, options: LoginOptions) => {
      const way = await open(name, options, cli);
      const uri = uriOf(way, options.database ?? options.login);
      printerFor(cli, options).done({ ...way.connection, uri }, uri);
    });

  withGateway(
    aimed(db.command("connect").summary("run psql through the gate")).argument(
      "[arguments...]",
      "of psql, behind --",
    ),
  )
    .addHelpText("after", `\nExample:\n  $ ${cli.command} db connect orders --login app -- -c 'select 1'`)
    .action((name: string, words: string[], options: ConnectOptions) => runClient(name, words, options, cli));
}

type Way = { connection: Connection; certificateFile: string };

async function open(name: string, options: ConnectOptions, cli: Cli): Promise<Way> {
  const { client } = await connect(options, cli);
  const target = await targetCalled(client, name);
  const connection = await client.targets.openConnection(target.id, options.login);
  // Clients take the gate's certificate from a file only.
  const file = `${connection.host}-${connection.port}.pem`.replaceAll(/[^A-Za-z0-9.-]/g, "_");
  const certificateFile = join(dirname(createProfiles(cli.env).path), "certificates", file);
  await mkdir(dirname(certificateFile), { recursive: true, mode: 0o700 });
  await writeFile(certificateFile, connection.certificate, { mode: 0o600 });
  return { connection, certificateFile };
}

function uriOf({ connection, certificateFile }: Way, database: string): string {
  const { host, port, user, password } = connection;
  const part = encodeURIComponent;
  const shown = host.includes(":") ? `[${host}]` : host;
  return `postgresql://${part(user)}:${part(password)}@${shown}:${port}/${part(database)}?sslmode=verify-full&sslrootcert=${part(certificateFile)}`;
}

async function runClient(
  name: string,
  words: readonly string[],
  options: ConnectOptions,
  cli: Cli,
): Promise<void> {
  const { connection, certificateFile } = await open(name, options, cli);
  // The secret goes by the environment: the command line is everybody's to read.
  const child = spawn("psql", words, {
    stdio: "inherit",
    env: {
      ...cli.env,
      PGHOST: connection.host,
      PGPORT: String(connection.port),
      PGUSER: connection.user,
      PGPASSWORD: connection.password,
      PGDATABASE: options.database ?? options.login,
      PGSSLMODE: "verify-full",
      PGSSLROOTCERT: certificateFile,
    },
  });
  const code = await new Promise<number>((resolve, reject) => {
    child.once("error", (cause) =>
      reject(
        new GatehouseError({
          code: "unavailable",
          op: "cli.db.connect",
          message: "psql cannot be run here",
          hint: `Install PostgreSQL's client, or use another with \`${cli.command} db login\`.`,
          cause,
        }),
      ),
    );
    child.once("exit", (status) => resolve(status ?? exitCodes.failed));
  });
  if (code !== 0) throw new SilentExit(code);
}
