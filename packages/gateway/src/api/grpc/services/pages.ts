/** A page as the doors' queries have it. */
export function pageOf({ pageSize, pageToken }: { pageSize: number; pageToken: string }) {
  return { ...(pageSize !== 0 && { limit: pageSize }), ...(pageToken !== "" && { cursor: pageToken }) };
}
