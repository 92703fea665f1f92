import { type Client, everyPage } from "@gatehouse/contracts/client";
import type { Team } from "@gatehouse/contracts/rest";
import { GatehouseError } from "@gatehouse/kernel";
import type { Command } from "commander";
import type { Cli } from "../cli.ts";
import { type GatewayOptions, connect, withGateway } from "../connection/mod.ts";
import { type OutputOptions, again, printerFor, withOutput } from "./options.ts";
import { personCalled } from "./users.ts";

type Options = OutputOptions & GatewayOptions;
type Members = { member?: string[]; lead?: string[] };

export function addTeams(program: Command, cli: Cli): void {
  const teams = program.command("teams").summary("people who belong together, and who leads them");
  const answering = (command: Command) => withGateway(withOutput(command));
  const withMembers = (command: Command) =>
    command
      .option("--member <name>", "somebody in it; may be given again", again)
      .option("--lead <name>", "somebody who leads it; may be given again", again);

  answering(teams.command("ls").summary("list teams")).action(async (options: Options) => {
    const { client } = await connect(options, cli);
    const all: Team[] = [];
    for await (const team of everyTeam(client)) all.push(team);
    printerFor(cli, options).list(
      all,
      [
        { title: "name", value: (team) => team.name },
        { title: "leads", value: (team) => namesOf(team, true), narrowTo: 10 },
        { title: "members", value: (team) => namesOf(team, false), narrowTo: 10 },
        { title: "description", value: (team) => team.description, narrowTo: 10 },
        { title: "id", value: (team) => team.id },
      ],
      "no teams",
    );
  });
  withMembers(answering(teams.command("add").summary("make a team").argument("<name>")))
    .option("--description <text>", "what it is for")
    .addHelpText("after", `\nExample:\n  $ ${cli.command} teams add web --lead lea --member ann --member bob`)
    .action(async (name: string, options: Options & Members & { description?: string }) => {
      const { client } = await connect(options, cli);
      const team = await client.teams.create({
        name,
        ...(options.description !== undefined && { description: options.description }),
        members: await membersOf(client, options),
      });
      printerFor(cli, options).done(team, `made the team ${team.name} (${team.id})`);
    });
  withMembers(
    answering(
      teams
        .command("set")
        .summary("say who is in a team, and who leads it")
        .description("Says who is in a team and who leads it: all of them. Whoever is not named is out.")
        .argument("<name>"),
    ),
  ).action(async (name: string, options: Options & Members) => {
    const { client } = await connect(options, cli);
    const { id } = await teamCalled(client, name);
    const team = await client.teams.update(id, { members: await membersOf(client, options) });
    printerFor(cli, options).done(team, `${team.name} has ${team.members.length} members now`);
  });
  answering(teams.command("rm").summary("dissolve a team").argument("<name>")).action(
    async (name: string, options: Options) => {
      const { client } = await connect(options, cli);
      const team = await teamCalled(client, name);
      await client.teams.remove(team.id);
      printerFor(cli, options).done(team, `the team ${team.name} is no more`);
    },
  );
}

const namesOf = ({ members }: Team, leads: boolean) =>
  members
    .filter((member) => member.leads === leads)
    .map(({ name }) => name)
    .join(", ");

const everyTeam = (client: Client) =>
  everyPage((cursor) => client.teams.list({ limit: 200, ...(cursor && { cursor }) }));

async function membersOf(client: Client, { member = [], lead = [] }: Members) {
  const named = new Map([
    ...member.map((name) => [name, false] as const),
    ...lead.map((name) => [name, true] as const),
  ]);
  const members: { userId: string; leads: boolean }[] = [];
  for (const [name, leads] of named) members.push({ userId: (await personCalled(client, name)).id, leads });
  return members;
}

async function teamCalled(client: Client, name: string): Promise<Team> {
  for await (const team of everyTeam(client)) if (team.name === name || team.id === name) return team;
  throw new GatehouseError({
    code: "not_found",
    op: "cli.teams",
    message: `there is no team ${name}`,
    hint: "`teams ls` lists them.",
  });
}
