import type { Job, JobOutcome } from "../../durable/engine.ts";
import { doAnswerJob } from "./answer_job.ts";
import { doItemJob } from "./item_job.ts";
import type { JobContext } from "./job_context.ts";

/** Does a job of an engine in this gateway. @throws if another gateway is to continue: this one is stopping. */
export async function doJob(job: Job, context: JobContext): Promise<JobOutcome> {
  switch (job.kind) {
    case "answer":
      return await doAnswerJob(job, context);
    case "item":
      await doItemJob(job, context);
      return {};
  }
}
