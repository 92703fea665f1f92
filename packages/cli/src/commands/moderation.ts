import type { Session } from "@gatehouse/contracts/rest";
import { type Command, Option } from "commander";
import type { Cli } from "../cli.ts";
import { type GatewayOptions, connect, withGateway } from "../connection/mod.ts";
import { type OutputOptions, printerFor, usage, withOutput } from "./options.ts";

type Common = OutputOptions & GatewayOptions;

/** `sessions pause`, `resume`, `terminate` and `review`. */
export function addModeration(sessions: Command, cli: Cli): void {
  addReview(sessions, cli);
  act(sessions, "pause", "stop what a person sends; what the target sends goes on")
    .requiredOption("--reason <text>", "why: shown to the person, recorded and audited")
    .option("--for <time>", "end the pause by itself after so long, such as 90s or 10m")
    .addHelpText(
      "after",
      `\nExample:\n  $ ${cli.command} sessions pause <id> --reason "who is this?" --for 10m`,
    )
    .action(async (id: string, options: Common & { reason: string; for?: string }) => {
      const { client } = await connect(options, cli);
      const session = await client.sessions.pause(id, {
        reason: options.reason,
        ...(options.for !== undefined && { limitSeconds: secondsOf("--for", options.for) }),
      });
      const until = session.live?.paused?.until;
      const printer = printerFor(cli, options);
      printer.done(
        session,
        `paused ${nameOf(session)}${until ? `; it goes on at ${printer.time(until)}` : ""}`,
      );
    });
  act(sessions, "resume", "let what a person sends pass again")
    .option("--reason <text>", "why: recorded and audited")
    .action(async (id: string, options: Common & { reason?: string }) => {
      const { client } = await connect(options, cli);
      const session = await client.sessions.resume(id, {
        ...(options.reason !== undefined && { reason: options.reason }),
      });
      printerFor(cli, options).done(session, `resumed ${nameOf(session)}`);
    });
  act(sessions, "terminate", "end a session")
    .requiredOption("--reason <text>", "why: shown to the person, recorded and audited")
    .option("--warning <text>", "say this to the person first, and give them a grace")
    .option("--grace <time>", "how long from now to the end, such as 30s or 5m")
    .addHelpText(
      "after",
      `\nExample:\n  $ ${cli.command} sessions terminate <id> --reason maintenance --warning "save your work" --grace 2m`,
    )
    .action(async (id: string, options: Common & { reason: string; warning?: string; grace?: string }) => {
      const { client } = await connect(options, cli);
      const session = await client.sessions.terminate(id, {
        reason: options.reason,
        ...(options.warning !== undefined && { warning: options.warning }),
        ...(options.grace !== undefined && { graceSeconds: secondsOf("--grace", options.grace) }),
      });
      const printer = printerFor(cli, options);
      const at = session.live?.endsAt;
      printer.done(
        session,
        at ? `warned ${nameOf(session)}; it ends at ${printer.time(at)}` : `ended ${nameOf(session)}`,
      );
    });
}

function addReview(sessions: Command, cli: Cli): void {
  act(sessions, "review", "decide about a statement that waits for an approval")
    .argument("<statement>", "its number, as `sessions show` has it")
    .addOption(new Option("--approve", "let it be run").conflicts("deny"))
    .addOption(new Option("--deny", "refuse it; it is not run").conflicts("approve"))
    .option("--comment <text>", "shown to the person, recorded and audited")
    .addHelpText(
      "after",
      `
Examples:
  $ ${cli.command} sessions show <id>
  $ ${cli.command} sessions review <id> 12 --approve --comment "agreed in the incident channel"`,
    )
    .action(
      async (
        id: string,
        statement: string,
        options: Common & { approve?: true; deny?: true; comment?: string },
      ) => {
        const number = /^[1-9]\d{0,14}$/.test(statement) ? Number(statement) : undefined;
        if (number === undefined) throw usage(`<statement> expects a number, and got ${statement}`);
        if (!options.approve && !options.deny) throw usage("say --approve or --deny");
        const { client } = await connect(options, cli);
        const decision = options.approve ? "approve" : "deny";
        const session = await client.sessions.review(id, number, {
          decision,
          ...(options.comment !== undefined && { comment: options.comment }),
        });
        printerFor(cli, options).done(
          session,
          `${options.approve ? "approved" : "denied"} statement ${number} of ${nameOf(session)}`,
        );
      },
    );
}

function act(sessions: Command, name: string, summary: string): Command {
  return withGateway(withOutput(sessions.command(name).summary(summary))).argument("<session-id>");
}

function nameOf({ user, login, target }: Session): string {
  return `the session of ${user.name} (${login}@${target.name})`;
}

/** `90s`, `10m`, `1h30m`, as in the configuration. */
export function secondsOf(option: string, text: string): number {
  const parts = [...text.matchAll(/(\d{1,6})(s|m|h)/g)];
  if (parts.length === 0 || parts.map(([part]) => part).join("") !== text)
    throw usage(`${option} expects a time such as 90s, 10m or 1h, and got ${text}`);
  const seconds = { s: 1, m: 60, h: 3600 } as const;
  return parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * seconds[unit as "s" | "m" | "h"], 0);
}
