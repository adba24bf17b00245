import * as v from "valibot";
import { MessagesRequest } from "../../anthropic/schema.ts";
import { json, named, type Operation } from "./operation.ts";

const Text = v.string();
const Count = v.number();
const Nullable = v.nullable(Text);

const Batch = v.object({
  id: Text,
  type: v.literal("message_batch"),
  processing_status: v.picklist(["in_progress", "canceling", "ended"]),
  request_counts: v.object({
    processing: Count,
    succeeded: Count,
    errored: Count,
    canceled: Count,
    expired: Count,
  }),
  ended_at: Nullable,
  created_at: Text,
  expires_at: Text,
  archived_at: Nullable,
  cancel_initiated_at: Nullable,
  results_url: Nullable,
});
const BatchRequest = v.object({
  requests: v.array(v.object({ custom_id: Text, params: named("MessagesRequest", MessagesRequest) })),
});

const File = v.object({
  id: Text,
  type: v.literal("file"),
  filename: Text,
  mime_type: Text,
  size_bytes: Count,
  created_at: Text,
  downloadable: v.boolean(),
  expires_at: Nullable,
});

const PAGE = {
  limit: "size of a page, 1 to 1000",
  after_id: "the page after this entry",
  before_id: "the page before this entry",
};

const toPage = (entry: v.GenericSchema) =>
  v.looseObject({ data: v.array(entry), has_more: v.boolean(), first_id: Nullable, last_id: Nullable });
const toDeleted = (type: string) => v.object({ id: Text, type: v.literal(type) });

/** The endpoints of batches and files. */
export const STORAGE_OPERATIONS: Readonly<Record<string, Operation>> = {
  "POST /v1/messages/batches": {
    summary: "Creates a batch of messages, which are answered in the background",
    headers: { "x-gateway-tools": "tools of the gateway that each request may use" },
    body: json("BatchRequest", BatchRequest),
    answer: json("Batch", Batch),
  },
  "GET /v1/messages/batches": {
    summary: "Lists the batches of the key, newest first",
    query: PAGE,
    answer: json("BatchPage", toPage(named("Batch", Batch))),
  },
  "GET /v1/messages/batches/{id}": { summary: "Describes a batch", answer: json("Batch", Batch) },
  "DELETE /v1/messages/batches/{id}": {
    summary: "Deletes a batch that has ended, and its results",
    answer: json("DeletedBatch", toDeleted("message_batch_deleted")),
  },
  "POST /v1/messages/batches/{id}/cancel": {
    summary: "Cancels the requests of a batch that have not ended",
    answer: json("Batch", Batch),
  },
  "GET /v1/messages/batches/{id}/results": {
    summary: "Returns the results of a batch that has ended: one line of JSON for each request",
    answer: { media: "application/x-jsonl" },
  },
  "POST /v1/files": {
    summary: "Stores a file, for sources of type `file` in later messages",
    body: { media: "multipart/form-data" },
    answer: json("File", File),
  },
  "GET /v1/files": {
    summary: "Lists the files of the key, newest first",
    query: { ...PAGE, page: "the `next_page` of the page before", "ids[]": "only these files" },
    answer: json("FilePage", toPage(named("File", File))),
  },
  "GET /v1/files/{id}": { summary: "Describes a file", answer: json("File", File) },
  "DELETE /v1/files/{id}": {
    summary: "Deletes a file",
    answer: json("DeletedFile", toDeleted("file_deleted")),
  },
  "GET /v1/files/{id}/content": {
    summary: "Returns the content of a file, as a download",
    answer: { media: "application/octet-stream" },
  },
};
