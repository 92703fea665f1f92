import {
  certificate,
  databaseCertificateAsk,
  databaseCertificateMade,
  id,
  sshCertificateAsk,
  sshCertificateMade,
} from "@gatehouse/contracts/rest";
import { z } from "zod";
import type { RestDoors } from "../../door.ts";
import { principalOf, tokenOf } from "../access.ts";
import type { App } from "../app.ts";
import { answers, nothing } from "./answers.ts";
import { loginParams, resourceOfLogin } from "./connections.ts";

const tags = ["people"];

export function certificateRoutes(
  app: App,
  doors: Pick<RestDoors, "access" | "certificates" | "connections" | "targets">,
): void {
  const { certificates } = doors;
  app.post(
    "/ssh-certificates",
    {
      schema: {
        tags,
        summary: "Get a certificate for an SSH key of one's own",
        description: "Good at the gate's SSH port until it expires, or the session that asks for it ends.",
        body: sshCertificateAsk,
        response: answers(sshCertificateMade, 201),
      },
      config: { access: { action: "self.write" } },
    },
    async (request, reply) => {
      const session = tokenOf(request) ?? "";
      const made = await certificates.createForSsh(principalOf(request), session, request.body);
      return reply.code(201).send(made);
    },
  );
  app.post(
    "/targets/:targetId/logins/:login/certificate",
    {
      schema: {
        tags: ["targets"],
        summary: "Get a certificate for a client of this database that signs in with one",
        description:
          "For a key of one's own, good for new connections until it expires, or the session that asks for it ends.",
        params: loginParams,
        body: databaseCertificateAsk,
        response: answers(databaseCertificateMade, 201),
      },
      config: {
        access: { action: "session.open", resource: (request) => resourceOfLogin(request, doors) },
      },
    },
    async (request, reply) => {
      const session = tokenOf(request) ?? "";
      const ask = { ...request.params, ...request.body };
      return reply.code(201).send(await certificates.createForDatabase(principalOf(request), session, ask));
    },
  );
  app.get(
    "/people/:personId/certificates",
    {
      schema: {
        tags,
        summary: "Certificates of their keys that are good now",
        params: z.object({ personId: id }),
        response: answers(z.object({ items: z.array(certificate) })),
      },
      config: { access: { action: "person.read", ownAction: "self.read" } },
    },
    (request) => certificates.list(request.params.personId),
  );
  app.delete(
    "/people/:personId/certificates/:serial",
    {
      schema: {
        tags,
        summary: "Revoke a certificate",
        params: z.object({ personId: id, serial: z.string().regex(/^\d{1,20}$/) }),
        response: answers(nothing, 204),
      },
      config: { access: { action: "person.write", ownAction: "self.write" } },
    },
    async (request, reply) => {
      const { personId, serial } = request.params;
      await certificates.remove(principalOf(request), personId, serial);
      return reply.code(204).send();
    },
  );
}
