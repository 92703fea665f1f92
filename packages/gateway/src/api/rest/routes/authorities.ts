import { GatehouseError } from "@gatehouse/kernel";
import { z } from "zod";
import type { App } from "../app.ts";
import type { RestDoors } from "../../door.ts";
import { answers } from "./answers.ts";

const tags = ["authorities"];

export function authorityRoutes(app: App, { authorities }: Pick<RestDoors, "authorities">): void {
  const halves = [
    {
      url: "/ca/ssh-host",
      summary: "The CA of the gate's host certificates",
      read: () => authorities.sshHost(),
    },
    {
      url: "/ca/ssh-user",
      summary: "The CA of user certificates towards targets",
      read: () => authorities.sshUser(),
    },
    {
      url: "/ca/recordings",
      summary: "The key that signs recordings",
      description: "PEM, as OpenSSL and `gatehouse verify --trusted-key` take it.",
      read: () => authorities.recordings(),
    },
    {
      url: "/ca/database",
      summary: "The CA of people's certificates for databases",
      description: "PEM. Only the gate takes what it signed.",
      read: () => authorities.database(),
    },
    {
      url: "/ca/grpc",
      summary: "The certificate of the gRPC API",
      description: "PEM, for clients to trust where it is the gate's own.",
      read: () => authorities.grpc(),
    },
  ];
  for (const { url, summary, description, read } of halves)
    app.get(
      url,
      {
        schema: {
          tags,
          summary,
          description: description ?? "One line, as `authorized_keys` has it.",
          security: [],
          response: answers(z.string()),
        },
        config: { access: { public: "a public key is for everybody" } },
      },
      async (_request, reply) => {
        const line = await read();
        if (line === undefined)
          throw new GatehouseError({
            code: "not_found",
            op: "api.authorities",
            message: "this CA is not used here",
          });
        return reply
          .header("content-type", "text/plain; charset=utf-8")
          .header("cache-control", "no-cache")
          .send(`${line.trim()}\n`);
      },
    );
}
