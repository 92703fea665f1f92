import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Trash2 } from "lucide-react";
import { useId, useRef } from "react";
import { gateway, queries } from "../gateway.ts";
import { Button, Identifier, IconButton } from "../ui/elements.tsx";
import { ago } from "../ui/format.ts";
import { InlineProblem, SkeletonRows } from "../ui/states.tsx";

export function SshKeys({ personId, mayWrite }: { personId: string; mayWrite: boolean }) {
  const client = useQueryClient();
  const fieldId = useId();
  const form = useRef<HTMLFormElement>(null);
  const query = useQuery(queries.sshKeys(personId));
  const renew = () => client.invalidateQueries({ queryKey: ["ssh-keys", personId] });
  const add = useMutation({
    mutationFn: (publicKey: string) => gateway.people.addSshKey(personId, { publicKey }),
    onSuccess: async () => {
      form.current?.reset();
      await renew();
    },
  });
  const remove = useMutation({
    mutationFn: (keyId: string) => gateway.people.removeSshKey(personId, keyId),
    onSuccess: renew,
  });
  if (query.isError) return <InlineProblem error={query.error} />;
  if (!query.data) return <SkeletonRows rows={2} />;
  return (
    <div className="grid gap-3">
      {query.data.length === 0 ? (
        <p className="text-soft">No key yet: by ssh they come with a certificate, or not at all.</p>
      ) : (
        <ul className="divide-y border-y">
          {query.data.map((key) => (
            <li key={key.id} className="flex flex-wrap items-center gap-x-3 py-1.5">
              <span className="min-w-0">
                <span className="font-medium">{key.comment || "without a name"}</span>
                <span className="text-faint"> {key.algorithm}</span>
                <span className="block">
                  <Identifier text={key.fingerprint} what="fingerprint" head={20} tail={6} />
                </span>
              </span>
              <span className="ml-auto text-xs text-faint">
                {key.lastUsedAt === null ? "never used" : `used ${ago(key.lastUsedAt)}`}
              </span>
              {mayWrite && (
                <IconButton
                  label={`Take away ${key.comment || key.fingerprint}`}
                  disabled={remove.isPending}
                  onClick={() => remove.mutate(key.id)}
                >
                  <Trash2 size={15} />
                </IconButton>
              )}
            </li>
          ))}
        </ul>
      )}
      {remove.isError && <InlineProblem error={remove.error} />}
      {mayWrite && (
        <form
          ref={form}
          className="grid gap-2"
          onSubmit={(event) => {
            event.preventDefault();
            add.mutate(String(new FormData(event.currentTarget).get("publicKey") ?? "").trim());
          }}
        >
          <label htmlFor={fieldId} className="text-xs font-medium text-soft">
            Add a public key
          </label>
          <div className="flex flex-wrap gap-2">
            <input
              id={fieldId}
              name="publicKey"
              required
              autoComplete="off"
              spellCheck={false}
              placeholder="The line in ~/.ssh/id_ed25519.pub"
              className="h-8 min-w-0 flex-1 rounded-md border border-strong bg-raised px-2.5 font-mono text-xs placeholder:font-sans placeholder:text-faint"
            />
            <Button type="submit" disabled={add.isPending}>
              Add
            </Button>
          </div>
          {add.isError && <InlineProblem error={add.error} />}
        </form>
      )}
    </div>
  );
}
