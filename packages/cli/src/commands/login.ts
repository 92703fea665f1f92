import { createClient } from "@gatehouse/contracts/client";
import type { Command } from "commander";
import type { Cli } from "../cli.ts";
import { createProfiles, exchangeLink, originOf, tokenIn } from "../connection/mod.ts";
import { askSecret } from "../output/mod.ts";
import { type OutputOptions, printerFor, usage, withOutput } from "./options.ts";

export function addLogin(program: Command, cli: Cli): void {
  withOutput(
    program
      .command("login")
      .summary("sign in to a gateway")
      .description(
        "Signs in with the one-time link that an administrator made for you (`users link`), or with a token, and keeps the " +
          "session in a file that only you can read. The link is asked for, or read from standard input: a command line is " +
          "seen by others.",
      )
      .argument("<gateway>", "its address, such as https://gate.example.com")
      .option("--token", "what is given is a token, not a link"),
  )
    .addHelpText(
      "after",
      `
Examples:
  $ ${cli.command} login https://gate.example.com
  $ ${cli.command} login https://gate.example.com --token < token.txt`,
    )
    .action(async (gateway: string, options: OutputOptions & { token?: boolean }) => {
      if (gateway.includes("#token="))
        throw usage(
          "a sign-in link is a secret and does not belong on the command line",
          `Use \`${cli.command} login ${originOf(gateway)}\` and give the link when you are asked.`,
        );
      const url = originOf(gateway);
      const given = await askSecret(options.token ? "token:" : "one-time link:", cli);
      if (given === "") throw usage("nothing was given to sign in with");
      const { me, token } = options.token
        ? await checkToken(url, given)
        : await exchangeLink(url, tokenIn(given));
      const profiles = createProfiles(cli.env);
      await profiles.keep({ url, token, name: me.name, expiresAt: me.expiresAt });
      const printer = printerFor(cli, options);
      const until = me.expiresAt === null ? "" : `, until ${printer.time(me.expiresAt)}`;
      printer.done(
        { gateway: url, name: me.name, roles: me.roles, expiresAt: me.expiresAt },
        `signed in to ${url} as ${me.name}${until}`,
      );
    });
  withOutput(program.command("logout").summary("end the session and forget it").argument("[gateway]")).action(
    async (gateway: string | undefined, options: OutputOptions) => {
      const profiles = createProfiles(cli.env);
      const gone = await profiles.forget(gateway === undefined ? undefined : originOf(gateway));
      if (!gone) throw usage("there is no such session to end");
      await createClient({ baseUrl: gone.url, token: gone.token })
        .auth.signOut()
        .catch(() =>
          cli.stderr.write(`note: ${gone.url} could not be told; the session there ends by itself\n`),
        );
      printerFor(cli, options).done({ gateway: gone.url }, `signed out of ${gone.url}`);
    },
  );
}

async function checkToken(url: string, token: string) {
  const me = await createClient({ baseUrl: url, token }).auth.me();
  return { me, token };
}
