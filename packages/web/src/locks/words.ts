import type { Lock } from "@gatehouse/contracts/rest";

export const thingWords: Record<Lock["on"], string> = {
  user: "Person",
  target: "Target",
  role: "Role",
  login: "Login",
  address: "Address",
};

/** Who is shut out of what, as a whole sentence. */
export function shutWords(on: Lock["on"], name: string): string {
  switch (on) {
    case "user":
      return `${name} is shut out: of every target, these pages, the command line and the API.`;
    case "target":
      return `Nobody gets to ${name}.`;
    case "role":
      return `Everybody with the role ${name} is shut out of everything.`;
    case "login":
      return `Nobody gets to any target as ${name}.`;
    case "address":
      return `Nobody is let in from ${name}.`;
  }
}

export function sessionWords(count: number): string {
  return count === 1 ? "1 live session" : `${count} live sessions`;
}
