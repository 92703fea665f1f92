import { type Client, createClient } from "@gatehouse/contracts/client";
import type { Me, SecondStep, SignInAnswer } from "@gatehouse/contracts/rest";
import { GatehouseError } from "@gatehouse/kernel";

/** Asks for a code of an authenticator app, or a recovery code. Empty: there is none. */
export type GiveCode = () => Promise<string>;

export const signInByPassword = (url: string, name: string, password: string, giveCode?: GiveCode) =>
  signInAs(url, ({ auth }) => auth.signInByPassword({ name, password }), giveCode);

/**
 * Signs in as a browser does: the gateway answers with a session in a cookie, and the same session is what the command shows
 * from then on.
 */
export async function signInAs(
  url: string,
  enter: (client: Client) => Promise<SignInAnswer>,
  giveCode: GiveCode = () => Promise.resolve(""),
): Promise<{ me: Me; token: string }> {
  let token: string | undefined;
  const client = createClient({
    baseUrl: url,
    async fetch(address, init) {
      const response = await fetch(address, init);
      for (const cookie of response.headers.getSetCookie()) {
        const value = /^[^=;]+=([^;]+)/.exec(cookie)?.[1];
        if (value !== undefined) token = decodeURIComponent(value);
      }
      return response;
    },
  });
  const answer = await enter(client);
  const me = "needs" in answer ? await goOn(client, answer, giveCode) : answer;
  if (token === undefined)
    throw new GatehouseError({
      code: "unavailable",
      op: "cli.login",
      message: `${url} let you in and gave no session`,
      hint: "Is something between here and the gateway that takes cookies away?",
    });
  return { me, token };
}

async function goOn(client: Client, { needs, ticket }: SecondStep, giveCode: GiveCode): Promise<Me> {
  if (needs === "enrolment")
    throw new GatehouseError({
      code: "denied",
      op: "cli.login",
      message: "a second factor is required here, and you have none yet",
      hint: "Sign in once in a browser, which leads you through it.",
    });
  const code = await giveCode();
  if (code === "")
    throw new GatehouseError({
      code: "denied",
      op: "cli.login",
      message: "a second factor is asked for",
      hint: "From a pipe it is the second line. A passkey works in a browser: `login` without --user.",
    });
  return client.auth.secondFactor({ ticket, code });
}
