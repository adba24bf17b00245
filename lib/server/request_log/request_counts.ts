/** What is counted while a request is answered. Lists are made with their first item. */
export class RequestCounts {
  turns = 0;
  retries = 0;
  /** Models that were asked; each but the first is a fallback. */
  routes = 0;
  /** Targets that were left out because they had failed. */
  skipped: string[] | undefined;
  /** Changes that refusals of upstreams asked for. */
  remedies: string[] | undefined;
  tools: string[] | undefined;

  /** Adds a target that was left out, once. */
  addSkipped(target: string): void {
    const skipped = this.skipped ??= [];
    if (!skipped.includes(target)) skipped.push(target);
  }
}
