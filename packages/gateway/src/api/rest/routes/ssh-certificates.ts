import { id, sshCertificate, sshCertificateAsk, sshCertificateMade } from "@gatehouse/contracts/rest";
import { z } from "zod";
import type { RestDoors } from "../../door.ts";
import { principalOf, tokenOf } from "../access.ts";
import type { App } from "../app.ts";
import { answers, nothing } from "./answers.ts";

const tags = ["people"];

export function sshCertificateRoutes(
  app: App,
  { sshCertificates }: Pick<RestDoors, "sshCertificates">,
): void {
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
      const made = await sshCertificates.create(principalOf(request), session, request.body.publicKey);
      return reply.code(201).send(made);
    },
  );
  app.get(
    "/people/:personId/ssh-certificates",
    {
      schema: {
        tags,
        summary: "Their SSH certificates that are good now",
        params: z.object({ personId: id }),
        response: answers(z.object({ items: z.array(sshCertificate) })),
      },
      config: { access: { action: "person.read", ownAction: "self.read" } },
    },
    (request) => sshCertificates.list(request.params.personId),
  );
  app.delete(
    "/people/:personId/ssh-certificates/:serial",
    {
      schema: {
        tags,
        summary: "Revoke an SSH certificate",
        params: z.object({ personId: id, serial: z.string().regex(/^\d{1,20}$/) }),
        response: answers(nothing, 204),
      },
      config: { access: { action: "person.write", ownAction: "self.write" } },
    },
    async (request, reply) => {
      const { personId, serial } = request.params;
      await sshCertificates.remove(principalOf(request), personId, serial);
      return reply.code(204).send();
    },
  );
}
