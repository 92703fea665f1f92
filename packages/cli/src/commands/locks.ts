import { type Command, Argument } from "commander";
import { type LockCreate, lockedThings } from "@gatehouse/contracts/rest";
import type { Cli } from "../cli.ts";
import { type GatewayOptions, connect, withGateway } from "../connection/mod.ts";
import { secondsOf } from "./moderation.ts";
import { type OutputOptions, printerFor, withOutput } from "./options.ts";

type Options = OutputOptions & GatewayOptions;

/** `lock`, `unlock` and `locks ls`. */
export function addLocks(program: Command, cli: Cli): void {
  const answering = (command: Command) => withGateway(withOutput(command));

  answering(
    program
      .command("lock")
      .summary("shut somebody or something out, at once")
      .description(
        "Shuts a person, a role, a target, a login or a network: nothing new begins, and what is live of it ends at once.",
      )
      .addArgument(new Argument("<what>", "what to shut").choices([...lockedThings]))
      .argument("<name>", "its name, an address, or a network such as 10.0.0.0/8"),
  )
    .requiredOption("--reason <text>", "why: told to whoever is refused, and audited")
    .option("--for <time>", "lift it by itself after so long, such as 30m or 8h")
    .addHelpText("after", `\nExample:\n  $ ${cli.command} lock user ann --reason "lost laptop"`)
    .action(
      async (on: LockCreate["on"], name: string, options: Options & { reason: string; for?: string }) => {
        const { client } = await connect(options, cli);
        const set = await client.locks.create({
          on,
          name,
          reason: options.reason,
          ...(options.for !== undefined && { seconds: secondsOf("--for", options.for) }),
        });
        const printer = printerFor(cli, options);
        const until = set.lock.until === null ? "" : ` until ${printer.time(set.lock.until)}`;
        printer.done(
          set,
          `locked ${on} ${name}${until}; ${set.ended.length} live sessions ended (${set.lock.id})`,
        );
      },
    );
  answering(program.command("unlock").summary("lift a lock").argument("<lock-id>", "from `locks ls`")).action(
    async (id: string, options: Options) => {
      const { client } = await connect(options, cli);
      await client.locks.remove(id);
      printerFor(cli, options).done({ id }, `lifted ${id}`);
    },
  );
  const locks = program.command("locks").summary("what is locked");
  answering(locks.command("ls").summary("list locks that are not over")).action(async (options: Options) => {
    const { client } = await connect(options, cli);
    const printer = printerFor(cli, options);
    printer.list(
      (await client.locks.list()).items,
      [
        { title: "what", value: (lock) => `${lock.on} ${lock.name}` },
        { title: "reason", value: (lock) => lock.reason, narrowTo: 10 },
        { title: "by", value: (lock) => lock.createdBy, narrowTo: 8 },
        { title: "since", value: (lock) => printer.time(lock.createdAt) },
        { title: "until", value: (lock) => (lock.until === null ? "lifted" : printer.time(lock.until)) },
        { title: "id", value: (lock) => lock.id },
      ],
      "nothing is locked",
    );
  });
}
