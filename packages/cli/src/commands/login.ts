import { createClient } from "@gatehouse/contracts/client";
import type { Me } from "@gatehouse/contracts/rest";
import { isGatehouseError } from "@gatehouse/kernel";
import type { Command } from "commander";
import type { Cli } from "../cli.ts";
import {
  createProfiles,
  exchangeLink,
  loginByBrowser,
  originOf,
  signInByPassword,
  tokenIn,
} from "../connection/mod.ts";
import { askSecret, askSecrets } from "../output/mod.ts";
import { type KeptCertificate, fetchCertificate, forgetCertificates } from "../ssh/mod.ts";
import { forgetDatabaseCertificates } from "./db-certificates.ts";
import { type OutputOptions, printerFor, usage, withOutput } from "./options.ts";

type LoginOptions = OutputOptions & {
  user?: string;
  token?: boolean;
  link?: boolean;
  browser?: boolean;
  device?: boolean;
  identityFile?: string;
  certificate: boolean;
};

export function addLogin(program: Command, cli: Cli): void {
  withOutput(
    program
      .command("login")
      .summary("sign in to a gateway")
      .description(
        "Signs in with your browser: it opens the gateway's page, which asks whether to let this command in. Without a browser " +
          "(--device) a short code is shown to type on that page, from any machine. A one-time link that an administrator made " +
          "(`users link`), your password (--user), or a token, is asked for or read from standard input: a command line is seen by others. " +
          "A second factor is asked for where you have one; from a pipe it is the second line. The session " +
          "is kept in a file that only you can read. An SSH key with a certificate of the gate goes into your ssh-agent, so " +
          "that `ssh` needs no other key.",
      )
      .argument("<gateway>", "its address, such as https://gate.example.com")
      .option("--browser", "sign in with the browser; so it is when standard input is a terminal")
      .option("--device", "sign in with any browser, and a code")
      .option("--link", "sign in with a one-time link; so it is when standard input is no terminal")
      .option("--user <name>", "sign in as this person, by password")
      .option("--token", "sign in with a token")
      .option(
        "--identity-file <file>",
        "put an SSH key here and its certificate beside it, not into the ssh-agent",
      )
      .option("--no-certificate", "ask for no SSH certificate"),
  )
    .addHelpText(
      "after",
      `
Examples:
  $ ${cli.command} login https://gate.example.com
  $ ${cli.command} login https://gate.example.com --device
  $ ${cli.command} login https://gate.example.com --user ada
  $ ${cli.command} login https://gate.example.com --token < token.txt`,
    )
    .action(async (gateway: string, options: LoginOptions) => {
      if (gateway.includes("#token="))
        throw usage(
          "a sign-in link is a secret and does not belong on the command line",
          `Use \`${cli.command} login ${originOf(gateway)}\` and give the link when you are asked.`,
        );
      const url = originOf(gateway);
      const { me, token } = await signIn(url, options, cli);
      const profiles = createProfiles(cli.env);
      await profiles.keep({ url, token, name: me.name, expiresAt: me.expiresAt });
      const printer = printerFor(cli, options);
      const ssh = await certificateFor(url, token, cli, options);
      const until = me.expiresAt === null ? "" : `, until ${printer.time(me.expiresAt)}`;
      printer.done(
        { gateway: url, name: me.name, roles: me.roles, expiresAt: me.expiresAt, ssh: ssh ?? null },
        `signed in to ${url} as ${me.name}${until}${ssh ? `\nssh: certificate in ${ssh.place === "agent" ? "your ssh-agent" : ssh.place}, until ${printer.time(ssh.expiresAt)}` : ""}`,
      );
    });
  withOutput(program.command("logout").summary("end the session and forget it").argument("[gateway]")).action(
    async (gateway: string | undefined, options: OutputOptions) => {
      const profiles = createProfiles(cli.env);
      const gone = await profiles.forget(gateway === undefined ? undefined : originOf(gateway));
      if (!gone) throw usage("there is no such session to end");
      // They are worth nothing without the session; whether they are still here matters little.
      await forgetCertificates(gone.url, cli).catch(() => {});
      await forgetDatabaseCertificates(gone.url, cli).catch(() => {});
      await createClient({ baseUrl: gone.url, token: gone.token })
        .auth.signOut()
        .catch(() =>
          cli.stderr.write(`note: ${gone.url} could not be told; the session there ends by itself\n`),
        );
      printerFor(cli, options).done({ gateway: gone.url }, `signed out of ${gone.url}`);
    },
  );
}

async function signIn(url: string, options: LoginOptions, cli: Cli): Promise<{ me: Me; token: string }> {
  const { browser, device = false, link, token, user } = options;
  const ways = [browser, device, link, token, user !== undefined].filter(Boolean);
  if (ways.length > 1) throw usage("--browser, --device, --link, --user and --token exclude each other");
  if (browser || device || (ways.length === 0 && cli.stdin.isTTY))
    return checkToken(url, await loginByBrowser(url, cli, { device }));
  const asked = token ? "token" : user === undefined ? "one-time link" : "password";
  // From a pipe both are read at once: what is read of it is gone.
  const [given = "", code = ""] = cli.stdin.isTTY
    ? [await askSecret(`${asked}:`, cli)]
    : await askSecrets([`${asked}:`, "second factor:"], cli);
  if (given === "") throw usage("nothing was given to sign in with");
  const giveCode = async () =>
    cli.stdin.isTTY ? askSecret("code of your authenticator app, or a recovery code:", cli) : code;
  if (user !== undefined) return signInByPassword(url, user, given, giveCode);
  return token ? checkToken(url, given) : exchangeLink(url, tokenIn(given), giveCode);
}

/** Who asked for a file gets it or an error; the agent is a convenience, and signing in succeeds without it. */
async function certificateFor(
  url: string,
  token: string,
  cli: Cli,
  { identityFile, certificate, token: isToken }: LoginOptions,
): Promise<KeptCertificate | undefined> {
  if (!certificate || (isToken && identityFile === undefined)) return undefined;
  try {
    return await fetchCertificate(createClient({ baseUrl: url, token }), url, cli, identityFile);
  } catch (error) {
    if (identityFile !== undefined || !isGatehouseError(error)) throw error;
    cli.stderr.write(`note: no SSH certificate: ${error.message}\n`);
    return undefined;
  }
}

async function checkToken(url: string, token: string) {
  const me = await createClient({ baseUrl: url, token }).auth.me();
  return { me, token };
}
