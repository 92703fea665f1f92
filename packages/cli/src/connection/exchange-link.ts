import { type GiveCode, signInAs } from "./sign-in.ts";

/** The token in a sign-in link, or the text itself where it is the token alone. */
export function tokenIn(text: string): string {
  return /#(?:.*&)?token=([^&\s]+)/.exec(text)?.[1] ?? text.trim();
}

/** Uses a one-time link up. */
export const exchangeLink = (url: string, linkToken: string, giveCode?: GiveCode) =>
  signInAs(url, ({ auth }) => auth.exchangeLink(linkToken), giveCode);
