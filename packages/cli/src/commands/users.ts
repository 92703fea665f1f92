import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { type Client, everyPage } from "@gatehouse/contracts/client";
import type { Person, PersonCreate } from "@gatehouse/contracts/rest";
import { GatehouseError } from "@gatehouse/kernel";
import type { Command } from "commander";
import type { Cli } from "../cli.ts";
import { type GatewayOptions, connect, withGateway } from "../connection/mod.ts";
import { type OutputOptions, again, printerFor, usage, withOutput } from "./options.ts";
import { firstOf } from "./sessions.ts";

type Options = OutputOptions & GatewayOptions;
type AddOptions = Options & { role: string[]; displayName?: string; key?: string };

export function addUsers(program: Command, cli: Cli): void {
  const users = program.command("users").summary("people, their keys and their sign-in links");
  const answering = (command: Command) => withGateway(withOutput(command));

  answering(users.command("ls").summary("list people"))
    .option("--search <text>", "part of a name")
    .option("-n, --limit <count>", "at most so many; 0 for all", "200")
    .action(async (options: Options & { search?: string; limit: string }) => {
      const { client } = await connect(options, cli);
      const q = options.search === undefined ? {} : { q: options.search };
      const people = await firstOf(
        (cursor, limit) => client.people.list({ ...q, ...(cursor && { cursor }), limit }),
        options.limit,
      );
      const printer = printerFor(cli, options);
      printer.list(
        people,
        [
          { title: "name", value: (person) => person.name },
          { title: "roles", value: (person) => person.roles.join(", "), narrowTo: 10 },
          { title: "keys", value: (person) => String(person.sshKeys), align: "right" },
          { title: "state", value: (person) => (person.disabled ? "disabled" : "active") },
          { title: "last seen", value: (person) => printer.time(person.lastSeenAt) },
          { title: "id", value: (person) => person.id },
        ],
        "no people",
      );
    });

  answering(users.command("add").summary("add a person").argument("<name>"))
    .option(
      "--role <role>",
      "platform-admin, security-analyst, auditor, team-lead or user; may be given again",
      again,
    )
    .option("--display-name <text>", "how pages call them")
    .option("--key <file>", "register this public key at once; - for standard input")
    .addHelpText("after", `\nExample:\n  $ ${cli.command} users add ada --role user --key ada.pub`)
    .action(async (name: string, options: AddOptions) => {
      // Read before anything is made, so that a wrong path leaves no half-made person.
      const publicKey = options.key === undefined ? undefined : await textOf(options.key, cli);
      const { client } = await connect(options, cli);
      const person = await client.people.create({
        name,
        ...(options.role && { roles: options.role as NonNullable<PersonCreate["roles"]> }),
        ...(options.displayName !== undefined && { displayName: options.displayName }),
      });
      const key =
        publicKey === undefined ? undefined : await client.people.addSshKey(person.id, { publicKey });
      printerFor(cli, options).done(
        key ? { ...person, key } : person,
        `added ${person.name} (${person.id})${key ? ` with ${key.fingerprint}` : ""}`,
      );
    });

  answering(
    users
      .command("link")
      .summary("make a one-time link to sign in and set a password")
      .description(
        "Makes a one-time sign-in link. It is shown once; whoever has it is this person, and may set their password.",
      )
      .argument("<name>"),
  ).action(async (name: string, options: Options) => {
    const { client } = await connect(options, cli);
    const person = await personCalled(client, name);
    const link = await client.people.signInLink(person.id);
    const printer = printerFor(cli, options);
    printer.thing(link, [
      ["person", person.name],
      ["link", link.url],
      ["expires", printer.time(link.expiresAt)],
    ]);
  });

  answering(
    users
      .command("remove-password")
      .summary("take a person's password away")
      .description("Their password lets them in no more. A one-time link lets them set another.")
      .argument("<name>"),
  ).action(async (name: string, options: Options) => {
    const { client } = await connect(options, cli);
    const person = await personCalled(client, name);
    await client.accounts.removePassword(person.id);
    printerFor(cli, options).done({ id: person.id, name }, `${person.name} has no password now`);
  });

  for (const [verb, disabled] of [
    ["disable", true],
    ["enable", false],
  ] as const)
    answering(
      users
        .command(verb)
        .summary(disabled ? "let a person in no more" : "let a person in again")
        .argument("<name>"),
    ).action(async (name: string, options: Options) => {
      const { client } = await connect(options, cli);
      const person = await personCalled(client, name);
      printerFor(cli, options).done(
        await client.people.update(person.id, { disabled }),
        `${person.name} is ${verb}d`,
      );
    });

  const keys = users.command("keys").summary("a person's SSH public keys");
  answering(keys.command("ls").summary("list them").argument("<name>")).action(
    async (name: string, options: Options) => {
      const { client } = await connect(options, cli);
      const person = await personCalled(client, name);
      const printer = printerFor(cli, options);
      printer.list(
        await client.people.sshKeys(person.id),
        [
          { title: "fingerprint", value: (key) => key.fingerprint },
          { title: "type", value: (key) => key.algorithm, narrowTo: 8 },
          { title: "comment", value: (key) => key.comment, narrowTo: 8 },
          { title: "added", value: (key) => printer.time(key.addedAt) },
          { title: "last used", value: (key) => printer.time(key.lastUsedAt) },
        ],
        `${person.name} has no keys`,
      );
    },
  );
  answering(
    keys
      .command("add")
      .summary("register one")
      .argument("<name>")
      .argument("<file>", "a .pub file; - for standard input"),
  ).action(async (name: string, file: string, options: Options) => {
    const publicKey = await textOf(file, cli);
    const { client } = await connect(options, cli);
    const person = await personCalled(client, name);
    const key = await client.people.addSshKey(person.id, { publicKey });
    printerFor(cli, options).done(key, `${person.name} has ${key.fingerprint} now`);
  });
  answering(
    keys
      .command("rm")
      .summary("take one away")
      .argument("<name>")
      .argument("<fingerprint>", "SHA256:..., from keys ls"),
  ).action(async (name: string, fingerprint: string, options: Options) => {
    const { client } = await connect(options, cli);
    const person = await personCalled(client, name);
    const key = (await client.people.sshKeys(person.id)).find((own) => own.fingerprint === fingerprint);
    if (!key) throw usage(`${person.name} has no key ${fingerprint}`);
    await client.people.removeSshKey(person.id, key.id);
    printerFor(cli, options).done(key, `${person.name} has ${fingerprint} no more`);
  });
}

/** The API knows people by id, and people by their names. */
export async function personCalled(client: Client, name: string): Promise<Person> {
  for await (const person of everyPage((cursor) =>
    client.people.list({ q: name, ...(cursor && { cursor }) }),
  ))
    if (person.name === name || person.id === name) return person;
  throw new GatehouseError({
    code: "not_found",
    op: "cli.users",
    message: `there is nobody called ${name}`,
    hint: "`users ls` lists everybody.",
  });
}

const publicKeyBytesMax = 65_536;

async function textOf(file: string, cli: Cli): Promise<string> {
  if (file !== "-") {
    const text = await readFile(resolve(cli.workingDirectory, file), "utf8");
    // The likeliest slip, and the one that must not reach another machine.
    if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text))
      throw usage(`${file} is a private key`, "Give the public one, which ends in .pub. Nothing was sent.");
    return text;
  }
  let text = "";
  for await (const chunk of cli.stdin) {
    text += String(chunk);
    if (text.length > publicKeyBytesMax) throw usage("standard input is too long for a public key");
  }
  return text;
}

/** Whose things are meant: one's own, or those of whom `--user` names. */
export async function ownerOf(client: Client, { user }: { user?: string }): Promise<string> {
  if (user !== undefined) return (await personCalled(client, user)).id;
  const me = await client.auth.me();
  if (me.via === "admin-socket")
    throw new GatehouseError({
      code: "invalid",
      op: "cli.owner",
      message: "the administrator of this machine is no person who could have this",
      hint: "Name one with --user, or sign in: login <gateway>.",
    });
  return me.id;
}
