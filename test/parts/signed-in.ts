/** Somebody who has signed in to the pages, as a client of the API. */
import { type Client, createClient } from "@gatehouse/contracts/client";
import { exchangeLink } from "../../packages/cli/src/connection/mod.ts";
import type { Gateway } from "./gateway.ts";

/** The secret that a web session is known by. */
export async function sessionOf({ admin, web }: Gateway, personId: string): Promise<string> {
  const { url } = await admin.people.signInLink(personId);
  return (await exchangeLink(web, new URL(url).hash.replace("#token=", ""))).token;
}

export async function signedIn(gateway: Gateway, personId: string): Promise<Client> {
  return createClient({ baseUrl: gateway.web, token: await sessionOf(gateway, personId) });
}
