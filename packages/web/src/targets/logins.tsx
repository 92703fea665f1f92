import type { CredentialWrite, Target, TargetLogin } from "@gatehouse/contracts/rest";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useId, useState } from "react";
import { gateway } from "../gateway.ts";
import { Dialog } from "../ui/dialog.tsx";
import { Button, Choice, Field, Time } from "../ui/elements.tsx";
import { Empty, InlineProblem } from "../ui/states.tsx";

/** A target that takes no certificate of the gate's own SSH CA proves itself by TLS, and there a key has a certificate. */
const isOverTls = ({ credentialKinds }: Target) => !credentialKinds.includes("certificate");

function credentialWords(credential: TargetLogin["credential"], target: Target): string {
  switch (credential) {
    case "none":
      return "nothing yet: it cannot be used";
    case "password":
      return "a stored password";
    case "private-key":
      return isOverTls(target) ? "a stored certificate and its key" : "a stored private key";
    case "certificate":
      return "a short-lived certificate of the gate's own CA";
  }
}

const kindWords = (kind: CredentialWrite["kind"], target: Target) =>
  ({
    certificate: "Certificate of the gate's own CA",
    "private-key": isOverTls(target) ? "Certificate and its private key" : "Private key",
    password: "Password",
  })[kind];

export function Logins({ target, mayWrite }: { target: Target; mayWrite: boolean }) {
  const [edited, setEdited] = useState<TargetLogin>();
  if (target.logins.length === 0)
    return (
      <Empty title="No logins">
        <p>Add the accounts that people may use, under Settings.</p>
      </Empty>
    );
  return (
    <>
      <ul className="divide-y border-y">
        {target.logins.map((login) => (
          <li key={login.name} className="flex flex-wrap items-center gap-x-3 gap-y-1 py-1.5">
            <span className="w-32 font-medium">{login.name}</span>
            <span className={login.credential === "none" ? "text-attention" : "text-soft"}>
              {credentialWords(login.credential, target)}
              {login.credentialSetAt && (
                <span className="text-faint">
                  , set <Time iso={login.credentialSetAt} />
                </span>
              )}
            </span>
            {mayWrite && (
              <Button className="ml-auto" onClick={() => setEdited(login)}>
                Change
              </Button>
            )}
          </li>
        ))}
      </ul>
      <Dialog
        title={`How the gate becomes ${edited?.name ?? ""} on ${target.name}`}
        isOpen={edited !== undefined}
        onClose={() => setEdited(undefined)}
      >
        {edited && <CredentialForm target={target} login={edited} onDone={() => setEdited(undefined)} />}
      </Dialog>
    </>
  );
}

function CredentialForm({
  target,
  login,
  onDone,
}: {
  target: Target;
  login: TargetLogin;
  onDone: () => void;
}) {
  const client = useQueryClient();
  const keyId = useId();
  const [kind, setKind] = useState<CredentialWrite["kind"]>(target.credentialKinds[0] ?? "password");
  const write = useMutation({
    mutationFn: (form: FormData) => {
      const text = (name: string) => String(form.get(name) ?? "");
      const passphrase = text("passphrase");
      const credential: CredentialWrite =
        kind === "password"
          ? { kind, password: text("password") }
          : kind === "private-key"
            ? {
                kind,
                privateKey: text("privateKey"),
                ...(passphrase === "" ? {} : { passphrase }),
                ...(text("password") === "" ? {} : { password: text("password") }),
              }
            : { kind };
      return gateway.targets.setCredential(target.id, login.name, credential);
    },
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ["target", target.id] });
      onDone();
    },
  });
  return (
    <form
      className="grid gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        write.mutate(new FormData(event.currentTarget));
      }}
    >
      <Choice
        label="Proof"
        value={kind}
        onChange={(event) => setKind(event.target.value as CredentialWrite["kind"])}
      >
        {target.credentialKinds.map((offered) => (
          <option key={offered} value={offered}>
            {kindWords(offered, target)}
          </option>
        ))}
      </Choice>
      {kind === "certificate" && (
        <p className="text-soft">
          Nothing is stored. The gate signs a certificate for each connection; the target must trust the
          gate's user CA (<code className="font-mono text-xs">TrustedUserCAKeys</code>).
        </p>
      )}
      {kind === "password" && (
        <Field label="Password" name="password" type="password" required autoComplete="new-password" />
      )}
      {kind === "private-key" && (
        <>
          <div className="grid gap-1">
            <label htmlFor={keyId} className="text-xs font-medium text-soft">
              {kindWords("private-key", target)}
            </label>
            <textarea
              id={keyId}
              name="privateKey"
              required
              rows={6}
              spellCheck={false}
              autoComplete="off"
              placeholder={
                isOverTls(target) ? "-----BEGIN CERTIFICATE-----" : "-----BEGIN OPENSSH PRIVATE KEY-----"
              }
              className="rounded-md border border-strong bg-raised p-2 font-mono text-xs"
            />
          </div>
          <Field
            label="Its passphrase, if it has one"
            name="passphrase"
            type="password"
            autoComplete="new-password"
          />
          {isOverTls(target) && (
            <Field
              label="A password, if it asks for both"
              name="password"
              type="password"
              autoComplete="new-password"
            />
          )}
        </>
      )}
      {write.isError && <InlineProblem error={write.error} />}
      <p className="text-xs text-faint">It is sealed at once, and never shown or given out again.</p>
      <Button type="submit" tone="primary" disabled={write.isPending}>
        Set
      </Button>
    </form>
  );
}
