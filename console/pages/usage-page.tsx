/** What was used, by day and kind. */
export function UsagePage() {
  return <h1>Usage</h1>;
}
