import Anthropic, { APIError } from "anthropic-sdk-0";
import { testSdk } from "./cases.ts";

testSdk({
  name: "@anthropic-ai/sdk 0.x",
  connect: (options) => new Anthropic(options),
  errors: {
    APIError,
    APIUserAbortError: Anthropic.APIUserAbortError,
    BadRequestError: Anthropic.BadRequestError,
    AuthenticationError: Anthropic.AuthenticationError,
    PaymentRequiredError: APIError,
    PermissionDeniedError: Anthropic.PermissionDeniedError,
    NotFoundError: Anthropic.NotFoundError,
    RateLimitError: Anthropic.RateLimitError,
    InternalServerError: Anthropic.InternalServerError,
  },
  sampling: true,
});
