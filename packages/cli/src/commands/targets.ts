import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { type Client, everyPage } from "@gatehouse/contracts/client";
import { type CredentialWrite, type HostKey, type Target, permitNames } from "@gatehouse/contracts/rest";
import { GatehouseError } from "@gatehouse/kernel";
import { type Command, Option } from "commander";
import { parse, stringify } from "yaml";
import type { Cli } from "../cli.ts";
import { type GatewayOptions, connect, withGateway } from "../connection/mod.ts";
import { ask, askSecret, SilentExit, exitCodes } from "../output/mod.ts";
import { type Protocol, ports } from "../ports.ts";
import { type OutputOptions, again, labelOf, printerFor, usage, withOutput } from "./options.ts";
import { firstOf } from "./sessions.ts";

type Options = OutputOptions & GatewayOptions;
type AddOptions = Options & {
  protocol: Protocol;
  login?: string[];
  allowRole?: string[];
  allowUser?: string[];
  label?: string[];
};
type TrustOptions = Options & { yes?: boolean; fingerprint?: string[]; ca?: string };
type CredentialOptions = Options & { keyFile?: string; password?: boolean; certificate?: boolean };

export function addTargets(program: Command, cli: Cli): void {
  const targets = program.command("targets").summary("what the gate opens sessions to");
  const answering = (command: Command) => withGateway(withOutput(command));

  answering(targets.command("ls").summary("list targets"))
    .option("--search <text>", "part of a name or address")
    .option("-n, --limit <count>", "at most so many; 0 for all", "200")
    .action(async (options: Options & { search?: string; limit: string }) => {
      const { client } = await connect(options, cli);
      const q = options.search === undefined ? {} : { q: options.search };
      const found = await firstOf(
        (cursor, limit) => client.targets.list({ ...q, ...(cursor && { cursor }), limit }),
        options.limit,
      );
      printerFor(cli, options).list(
        found,
        [
          { title: "name", value: (target) => target.name },
          { title: "address", value: (target) => `${target.host}:${target.port}`, narrowTo: 12 },
          { title: "protocol", value: (target) => target.protocol },
          {
            title: "logins",
            value: (target) =>
              target.logins.map(({ name, credential }) => `${name} (${credential})`).join(", ") || "-",
            narrowTo: 10,
          },
          {
            title: "host key",
            value: (target) => (target.hostTrust.kind === "none" ? "NOT TRUSTED" : target.hostTrust.kind),
          },
          {
            title: "open to",
            value: (target) => [...target.allowRoles, ...target.allowUsers].join(", ") || "nobody",
            narrowTo: 8,
          },
        ],
        "no targets",
      );
    });

  answering(
    targets
      .command("add")
      .summary("add a target")
      .argument("<name>")
      .argument("<address>", "host or host:port"),
  )
    .addOption(
      new Option("--protocol <protocol>", "what it speaks").choices(Object.keys(ports)).default("ssh"),
    )
    .option("--login <name>", "an account on it; may be given again", again)
    .option("--allow-role <role>", "who may open sessions; may be given again", again)
    .option("--allow-user <name>", "who may open sessions; may be given again", again)
    .option("--label <key=value>", "may be given again", again)
    .addHelpText(
      "after",
      `
Example:
  $ ${cli.command} targets add web-01 10.0.0.5 --login root --allow-role platform-admin
  $ ${cli.command} targets credential web-01 root --key-file id_ed25519
  $ ${cli.command} targets trust web-01`,
    )
    .action(async (name: string, address: string, options: AddOptions) => {
      const { host, port } = addressOf(address, ports[options.protocol]);
      const labels = Object.fromEntries((options.label ?? []).map(labelOf));
      const { client } = await connect(options, cli);
      const target = await client.targets.create({
        name,
        protocol: options.protocol,
        host,
        port,
        labels,
        logins: options.login ?? [],
        allowRoles: options.allowRole ?? [],
        allowUsers: options.allowUser ?? [],
      });
      printerFor(cli, options).done(
        target,
        `added ${target.name}; nobody is let through before \`${cli.command} targets trust ${target.name}\``,
      );
    });

  answering(
    targets
      .command("trust")
      .summary("accept a target's host key")
      .description(
        "Asks the target for its host keys, shows their fingerprints, and pins them when you say so. Compare them with what " +
          "the target itself says (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub).",
      )
      .argument("<name>"),
  )
    .option(
      "--fingerprint <SHA256:...>",
      "pin the key with this fingerprint, and fail if it is not shown; may be given again",
      again,
    )
    .option("--yes", "do not ask; only together with --fingerprint")
    .option(
      "--ca <file>",
      "trust the CAs in this file instead: host CAs' public keys, or certificates in PEM",
    )
    .addHelpText(
      "after",
      `\nExample, for a script:\n  $ ${cli.command} targets trust web-01 --yes --fingerprint SHA256:uNiVztksCsDhcc0u9e8BrQmhZHTpN5Fr6dYZkT6YJCM`,
    )
    .action((name: string, options: TrustOptions) => trust(name, options, cli));

  const withSecret = (command: Command) =>
    answering(command.argument("<name>").argument("<login>"))
      .option(
        "--key-file <file>",
        "a private key; for a database a certificate, what is between it and its authority, and its key",
      )
      .option(
        "--password",
        "a password, asked for or read from standard input; beside --key-file for a database that asks for both",
      );
  const credential = withSecret(
    targets
      .command("credential")
      .summary("what the gate proves itself to a target with")
      .description(
        "Sets how the gate signs in to a target as one of its accounts. Secrets are read from a file or asked for.",
      ),
  )
    .option("--certificate", "a short-lived certificate of the gate's own SSH user CA, for each connection")
    .action((name: string, login: string, options: CredentialOptions) =>
      give(name, login, options, (client, id, secret) => client.targets.setCredential(id, login, secret)),
    );
  withSecret(
    credential
      .command("rotate")
      .summary("replace it, once the target has let the gate in with the new one")
      .description(
        "Replaces how the gate signs in to a target as one of its accounts. The gate signs in with the new secret first; where the target refuses, the one that it has stays.",
      ),
  )
    .addHelpText(
      "after",
      `\nExample:\n  $ ${cli.command} targets credential rotate db-01 app --password < new.txt`,
    )
    .action((name: string, login: string, options: CredentialOptions) =>
      give(name, login, options, (client, id, secret) => client.targets.rotateCredential(id, login, secret)),
    );

  async function give(
    name: string,
    login: string,
    options: CredentialOptions,
    set: (client: Client, targetId: string, secret: CredentialWrite) => Promise<void>,
  ): Promise<void> {
    const secret = await credentialOf(options, cli);
    const { client } = await connect(options, cli);
    const target = await targetCalled(client, name);
    await set(client, target.id, secret);
    printerFor(cli, options).done(
      { target: target.name, login, kind: secret.kind },
      `the gate signs in as ${login} at ${target.name} with a ${secret.kind}`,
    );
  }

  answering(
    targets
      .command("policy")
      .summary("what stands between people and a target")
      .description(
        "Prints a target's access policy as YAML, or sets the whole of it: hours, networks, how fresh a second factor must be, who may ask for access and who decides, who must approve that a recording is opened, and which statements pass to a database. docs/access.md and docs/databases.md have the words.",
      )
      .argument("<name>")
      .option("--set <file>", "a YAML or JSON file"),
  ).action(async (name: string, options: Options & { set?: string }) => {
    const { client } = await connect(options, cli);
    const target = await targetCalled(client, name);
    if (options.set === undefined) {
      printerFor(cli, options).done(target.access, stringify(target.access).trimEnd());
      return;
    }
    const access = parse(
      await readFile(resolve(cli.workingDirectory, options.set), "utf8"),
    ) as Target["access"];
    const { access: set } = await client.targets.update(target.id, { access });
    printerFor(cli, options).done(set, `${target.name} has its policy:\n${stringify(set).trimEnd()}`);
  });

  answering(
    targets
      .command("permit")
      .summary("what sessions on a target may do besides")
      .description(
        "Prints what a target permits beyond a shell, or statements, or changes it; the rest stays. Only what its protocol has can be permitted.",
      )
      .argument("<name>")
      .argument("[permissions...]", permitNames.join(", ")),
  )
    .option("--forbid", "forbid these")
    .action(async (name: string, named: string[], options: Options & { forbid?: boolean }) => {
      const strange = named.find((one) => !permitNames.some((known) => known === one));
      if (strange !== undefined)
        throw usage(`there is no permission ${strange}`, `There are ${permitNames.join(", ")}.`);
      const { client } = await connect(options, cli);
      const target = await targetCalled(client, name);
      const permits = Object.fromEntries(named.map((one) => [one, !options.forbid]));
      const { permits: now } =
        named.length === 0 ? target : await client.targets.update(target.id, { permits });
      printerFor(cli, options).done(
        now,
        Object.entries(now)
          .map(([one, may]) => `${may ? "permitted" : "forbidden"}  ${one}`)
          .join("\n"),
      );
    });

  answering(
    targets.command("rm").summary("take a target away; its sessions and recordings stay").argument("<name>"),
  )
    .option("--yes", "do not ask")
    .action(async (name: string, options: Options & { yes?: boolean }) => {
      const { client } = await connect(options, cli);
      const target = await targetCalled(client, name);
      if (!options.yes) await confirm(`take ${target.name} (${target.host}:${target.port}) away?`, cli);
      await client.targets.remove(target.id);
      printerFor(cli, options).done(target, `${target.name} is gone; its recordings stay`);
    });
}

/** Certificates in PEM, or public keys of SSH, one a line. */
function authoritiesIn(text: string): string[] {
  return text.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? linesOf(text);
}

async function trust(name: string, options: TrustOptions, cli: Cli): Promise<void> {
  const wanted = options.fingerprint ?? [];
  // Trust without a look and without a fingerprint is no trust.
  if (options.yes && wanted.length === 0)
    throw usage(
      "--yes accepts a key only by its fingerprint",
      "Add --fingerprint SHA256:..., or leave --yes out and compare.",
    );
  const { client } = await connect(options, cli);
  const target = await targetCalled(client, name);
  const printer = printerFor(cli, options);
  if (options.ca !== undefined) {
    const keys = authoritiesIn(await readFile(resolve(cli.workingDirectory, options.ca), "utf8"));
    const trusted = await client.targets.trustHostKeys(target.id, { kind: "ca", keys });
    printer.done(trusted, `${target.name} is trusted when its certificate is of one of ${keys.length} CAs`);
    return;
  }
  const scan = await client.targets.scanHostKeys(target.id);
  const chosen =
    wanted.length === 0
      ? scan.keys
      : wanted.map((fingerprint) => shown(scan.keys, fingerprint, scan.address));
  if (!options.yes) {
    cli.stderr.write(`${target.name} at ${scan.address} shows:\n`);
    for (const key of scan.keys) {
      const before = target.hostTrust.keys.some((pinned) => pinned.fingerprint === key.fingerprint);
      cli.stderr.write(`  ${key.fingerprint}  ${key.algorithm}${before ? "  (pinned already)" : ""}\n`);
    }
    const lost = target.hostTrust.keys.filter(
      (pinned) => !scan.keys.some((key) => key.fingerprint === pinned.fingerprint),
    );
    for (const key of lost)
      cli.stderr.write(`  ${key.fingerprint}  ${key.algorithm}  (pinned, and NOT shown any more)\n`);
    await confirm(`trust ${chosen.length === 1 ? "this key" : `these ${chosen.length} keys`}?`, cli);
  }
  const trusted = await client.targets.trustHostKeys(target.id, {
    kind: "pinned",
    keys: chosen.map((key) => key.publicKey),
  });
  printer.done(trusted, `${target.name} is trusted by ${chosen.map((key) => key.fingerprint).join(", ")}`);
}

function shown(keys: readonly HostKey[], fingerprint: string, address: string): HostKey {
  const key = keys.find((candidate) => candidate.fingerprint === fingerprint);
  if (key) return key;
  throw new GatehouseError({
    code: "conflict",
    op: "cli.targets.trust",
    message: `${address} does not show ${fingerprint}; it shows ${keys.map((other) => other.fingerprint).join(", ") || "no key"}`,
    hint: "Something else may answer at this address. Nothing was trusted.",
  });
}

async function confirm(question: string, cli: Cli): Promise<void> {
  const answer = await ask(`${question} [yes/no]`, cli);
  if (answer === "yes" || answer === "y") return;
  cli.stderr.write("nothing was changed\n");
  throw new SilentExit(exitCodes.failed);
}

async function credentialOf(options: CredentialOptions, cli: Cli): Promise<CredentialWrite> {
  const { keyFile, certificate = false, password: withPassword = false } = options;
  if (certificate === (withPassword || keyFile !== undefined))
    throw usage("give --key-file, --password or --certificate");
  if (certificate) return { kind: "certificate" };
  const privateKey =
    keyFile === undefined ? undefined : await readFile(resolve(cli.workingDirectory, keyFile), "utf8");
  if (!withPassword && privateKey !== undefined) return { kind: "private-key", privateKey };
  const password = await askSecret("password:", cli);
  return privateKey === undefined
    ? { kind: "password", password }
    : { kind: "private-key", privateKey, password };
}

/** The target of that name or id. Throws `not_found`. */
export async function targetCalled(client: Client, name: string): Promise<Target> {
  for await (const target of everyPage((cursor) =>
    client.targets.list({ q: name, ...(cursor && { cursor }) }),
  ))
    if (target.name === name || target.id === name) return target;
  throw new GatehouseError({
    code: "not_found",
    op: "cli.targets",
    message: `there is no target called ${name}`,
    hint: "`targets ls` lists them all.",
  });
}

function addressOf(text: string, portElse: number): { host: string; port: number } {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text);
  const host = match?.[1] ?? match?.[2] ?? (/^[0-9A-Fa-f:]+$/.test(text) ? text : undefined);
  const port = Number(match?.[3] ?? portElse);
  if (host === undefined || port < 1 || port > 65_535)
    throw usage(`${text} is no address`, "Write host, host:port or [IPv6 address]:port.");
  return { host, port };
}

function linesOf(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
}
