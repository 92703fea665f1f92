import { type AccessRequest, type RequestQuery, requestStates } from "@gatehouse/contracts/rest";
import { type Command, Option } from "commander";
import type { Cli } from "../cli.ts";
import { type GatewayOptions, connect, withGateway } from "../connection/mod.ts";
import type { Printer } from "../output/mod.ts";
import { secondsOf } from "./moderation.ts";
import { type OutputOptions, again, printerFor, usage, withOutput } from "./options.ts";
import { firstOf } from "./sessions.ts";
import { targetCalled } from "./targets.ts";

type Options = OutputOptions & GatewayOptions;

export function addRequests(program: Command, cli: Cli): void {
  const requests = program.command("requests").summary("ask for access, and decide about it");
  const answering = (command: Command) => withGateway(withOutput(command));

  answering(
    requests
      .command("create")
      .summary("ask for a target, a role, or that a recording may be opened")
      .argument("[target]", "a target's name"),
  )
    .option("--login <name>", "an account on it; may be given again", again)
    .option("--role <name>", "instead of a target: a role, for a time")
    .option("--recording <session-id>", "instead of a target: a recording under four eyes")
    .requiredOption("--reason <text>", "why: reviewers read it, and it is audited")
    .option("--for <time>", "how long it shall hold from its approval, such as 30m or 4h", "1h")
    .addHelpText(
      "after",
      `\nExample:\n  $ ${cli.command} requests create db-01 --login postgres --reason "INC-42: slow queries" --for 2h\n  $ ${cli.command} requests create --role db-reader --reason "on call" --for 8h`,
    )
    .action(
      async (
        name: string | undefined,
        options: Options & {
          login?: string[];
          role?: string;
          recording?: string;
          reason: string;
          for: string;
        },
      ) => {
        const { role, recording } = options;
        if ([name, role, recording].filter((one) => one !== undefined).length !== 1)
          throw usage("name a target, a role with --role, or a recording with --recording");
        const { client } = await connect(options, cli);
        const asked = {
          reason: options.reason,
          minutes: Math.ceil(secondsOf("--for", options.for) / 60),
        };
        const request = await client.requests.create(
          role !== undefined
            ? { kind: "role", role, ...asked }
            : recording !== undefined
              ? { kind: "playback", sessionId: recording, ...asked }
              : {
                  kind: "target",
                  targetId: (await targetCalled(client, name ?? "")).id,
                  logins: loginsOf(options.login),
                  ...asked,
                },
        );
        printerFor(cli, options).done(
          request,
          `asked for ${wantedOf(request)}; ${request.approvals === 1 ? "one person" : `${request.approvals} people`} must approve (${request.id})`,
        );
      },
    );

  answering(requests.command("ls").summary("list requests that you may see, newest first"))
    .addOption(new Option("--state <state>", "in this state").choices([...requestStates]))
    .option("--mine", "only what you asked for yourself")
    .option("-n, --limit <count>", "at most so many; 0 for all", "50")
    .action(async (options: Options & { state?: RequestQuery["state"]; mine?: boolean; limit: string }) => {
      const { client } = await connect(options, cli);
      const query: RequestQuery = {
        ...(options.state && { state: options.state }),
        ...(options.mine && { mine: "true" }),
      };
      const found = await firstOf(
        (cursor, limit) => client.requests.list({ ...query, ...(cursor && { cursor }), limit }),
        options.limit,
      );
      const printer = printerFor(cli, options);
      printer.list(
        found,
        [
          { title: "state", value: (request) => request.state },
          { title: "who", value: (request) => request.user.name, narrowTo: 8 },
          { title: "for", value: wantedOf, narrowTo: 12 },
          { title: "reason", value: (request) => request.reason, narrowTo: 10 },
          { title: "ends", value: (request) => printer.time(request.endsAt) },
          { title: "", value: (request) => (request.mayReview ? "yours to decide" : "") },
          { title: "id", value: (request) => request.id },
        ],
        "no requests",
      );
    });

  answering(requests.command("show").summary("all of one request").argument("<request-id>")).action(
    async (id: string, options: Options) => {
      const { client } = await connect(options, cli);
      show(printerFor(cli, options), await client.requests.get(id));
    },
  );

  for (const verdict of ["approve", "deny"] as const)
    answering(
      requests.command(verdict).summary(`${verdict} what somebody else asked for`).argument("<request-id>"),
    )
      .option("--comment <text>", "told to who asked, and audited", "")
      .action(async (id: string, options: Options & { comment: string }) => {
        const { client } = await connect(options, cli);
        const request = await client.requests.review(id, { verdict, comment: options.comment });
        const given = request.reviews.filter((review) => review.verdict === "approve").length;
        printerFor(cli, options).done(
          request,
          request.state === "pending"
            ? `noted; ${given} of ${request.approvals} have approved`
            : `${request.state}: ${request.user.name} for ${wantedOf(request)}`,
        );
      });

  answering(
    requests
      .command("cancel")
      .summary("take back what you asked for; approved access ends with it")
      .argument("<request-id>"),
  ).action(async (id: string, options: Options) => {
    const { client } = await connect(options, cli);
    const request = await client.requests.cancel(id);
    printerFor(cli, options).done(request, `took back ${wantedOf(request)}`);
  });
}

function wantedOf({ wanted }: AccessRequest): string {
  switch (wanted.kind) {
    case "target":
      return `${wanted.logins.join(", ")} on ${wanted.targetName}`;
    case "role":
      return `the role ${wanted.role}`;
    case "playback":
      return `the recording ${wanted.sessionId}`;
  }
}

function loginsOf(logins: string[] | undefined): string[] {
  if (!logins) throw usage("say as whom: --login <name>");
  return logins;
}

function show(printer: Printer, request: AccessRequest): void {
  printer.thing(request, [
    ["state", request.state],
    ["who", request.user.name],
    ["for", wantedOf(request)],
    ["reason", request.reason],
    ["minutes", String(request.minutes)],
    ["asked", printer.time(request.createdAt)],
    [request.state === "pending" ? "open until" : "ends", printer.time(request.endsAt)],
    ["approvals needed", String(request.approvals)],
    ...request.reviews.map(({ reviewer, verdict, comment, reviewedAt }): [string, string] => [
      verdict === "approve" ? "approved by" : "denied by",
      `${reviewer.name}, ${printer.time(reviewedAt)}${comment === "" ? "" : `: ${comment}`}`,
    ]),
  ]);
}
