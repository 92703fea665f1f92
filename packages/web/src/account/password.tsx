import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useRef } from "react";
import { gateway, queries } from "../gateway.ts";
import { Button, Field, Time } from "../ui/elements.tsx";
import { InlineProblem, SkeletonRows } from "../ui/states.tsx";

/** A person's password: they set their own, and an administrator can take it away. */
export function Password({
  personId,
  name,
  isOwn,
  mayWrite,
}: {
  personId: string;
  name: string;
  isOwn: boolean;
  mayWrite: boolean;
}) {
  const client = useQueryClient();
  const form = useRef<HTMLFormElement>(null);
  const query = useQuery(queries.signInFacts(personId));
  const me = useQuery(queries.me);
  const renew = () => client.invalidateQueries({ queryKey: queries.signInFacts(personId).queryKey });
  const set = useMutation({
    mutationFn: (given: FormData) => {
      const current = String(given.get("current") ?? "");
      return gateway.accounts.setPassword({
        password: String(given.get("password") ?? ""),
        ...(current !== "" && { current }),
      });
    },
    onSuccess: async () => {
      form.current?.reset();
      await renew();
    },
  });
  const remove = useMutation({
    mutationFn: () => gateway.accounts.removePassword(personId),
    onSuccess: renew,
  });
  if (query.isError) return <InlineProblem error={query.error} />;
  if (!query.data) return <SkeletonRows rows={1} />;
  const { password } = query.data;
  const cameByLink = me.data?.method === "link";
  return (
    <div className="grid gap-3">
      <p className="flex flex-wrap items-center gap-x-3 text-soft">
        {password ? (
          <span>
            Set <Time iso={password.setAt} />
          </span>
        ) : (
          <span>None{isOwn ? ": next time you would need another one-time link." : "."}</span>
        )}
        {password && mayWrite && (
          <Button
            tone={isOwn ? "quiet" : "danger"}
            className="ml-auto"
            disabled={remove.isPending}
            onClick={() => remove.mutate()}
          >
            Take it away
          </Button>
        )}
      </p>
      {remove.isError && <InlineProblem error={remove.error} />}
      {isOwn && (
        <form
          ref={form}
          className="grid max-w-sm gap-3"
          onSubmit={(event) => {
            event.preventDefault();
            set.mutate(new FormData(event.currentTarget));
          }}
        >
          {/* So that a password manager keeps it under the right name. */}
          <input type="hidden" name="username" autoComplete="username" value={name} readOnly />
          {password && (
            <Field
              label="Current password"
              name="current"
              type="password"
              required={!cameByLink}
              autoComplete="current-password"
              {...(cameByLink && { hint: "May be left empty soon after a one-time link." })}
            />
          )}
          <Field
            label={password ? "New password" : "Password"}
            name="password"
            type="password"
            required
            minLength={12}
            maxLength={256}
            autoComplete="new-password"
            hint="At least 12 characters. Several words in a row are good. Your other sessions end."
          />
          {set.isError && <InlineProblem error={set.error} />}
          {set.isSuccess && !set.isPending && (
            <p role="status" className="text-soft">
              Your password is set.
            </p>
          )}
          <Button type="submit" className="justify-self-start" disabled={set.isPending}>
            {password ? "Change it" : "Set it"}
          </Button>
        </form>
      )}
    </div>
  );
}
