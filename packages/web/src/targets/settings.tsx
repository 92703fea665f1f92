import type { PermitName, Target } from "@gatehouse/contracts/rest";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { gateway, queries } from "../gateway.ts";
import { Button, Field } from "../ui/elements.tsx";
import { InlineProblem } from "../ui/states.tsx";

const permitWords = {
  localForward: "Local and dynamic forwards (-L, -D)",
  remoteForward: "Remote forwards (-R)",
  agentForward: "Agent forwarding (-A)",
  x11Forward: "X11 forwarding (-X)",
  localFiles: "Reading the client's files (LOAD DATA LOCAL)",
  replication: "Replication, which copies all of the server's data",
} as const satisfies Record<PermitName, string>;

const listOf = (value: FormDataEntryValue | null) =>
  String(value ?? "")
    .split(/[\s,]+/)
    .filter(Boolean);

export function TargetSettings({ target, mayWrite }: { target: Target; mayWrite: boolean }) {
  const client = useQueryClient();
  const permitNames = Object.keys(target.permits) as PermitName[];
  const save = useMutation({
    mutationFn: (form: FormData) =>
      gateway.targets.update(target.id, {
        host: String(form.get("host") ?? "").trim(),
        port: Number(form.get("port")),
        logins: listOf(form.get("logins")),
        allowRoles: listOf(form.get("allowRoles")),
        allowUsers: listOf(form.get("allowUsers")),
        permits: Object.fromEntries(permitNames.map((name) => [name, form.get(name) === "on"])),
      }),
    onSuccess: async (changed) => {
      client.setQueryData(queries.target(target.id).queryKey, changed);
      await client.invalidateQueries({ queryKey: ["targets"] });
    },
  });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate(new FormData(event.currentTarget));
      }}
    >
      <fieldset disabled={!mayWrite || save.isPending} className="grid gap-3">
        <div className="grid gap-3 sm:grid-cols-[1fr_6rem]">
          <Field label="Host" name="host" required defaultValue={target.host} />
          <Field
            label="Port"
            name="port"
            type="number"
            min={1}
            max={65_535}
            required
            defaultValue={target.port}
          />
        </div>
        <Field
          label="Logins"
          name="logins"
          defaultValue={target.logins.map((login) => login.name).join(", ")}
          hint="A login that is taken away takes its credential with it"
        />
        <div className="grid gap-3 sm:grid-cols-2">
          <Field label="Open to roles" name="allowRoles" defaultValue={target.allowRoles.join(", ")} />
          <Field label="Open to people" name="allowUsers" defaultValue={target.allowUsers.join(", ")} />
        </div>
        <div className="grid gap-1.5 sm:grid-cols-2">
          {permitNames.map((name) => (
            <label key={name} className="flex items-center gap-2">
              <input
                type="checkbox"
                name={name}
                defaultChecked={target.permits[name]}
                className="accent-accent"
              />
              {permitWords[name]}
            </label>
          ))}
        </div>
        {save.isError && <InlineProblem error={save.error} />}
        {mayWrite && (
          <div className="flex items-center justify-end gap-3">
            {save.isSuccess && (
              <span role="status" className="text-soft">
                Saved
              </span>
            )}
            <Button type="submit">Save</Button>
          </div>
        )}
      </fieldset>
    </form>
  );
}
