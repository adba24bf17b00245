import type { View } from "./view.ts";
import { errors } from "./views/errors.ts";
import { models } from "./views/models.ts";
import { now } from "./views/now.ts";
import { request } from "./views/request.ts";
import { settings } from "./views/settings.ts";
import { spend } from "./views/spend.ts";
import { tools } from "./views/tools.ts";

/** The views, in the order of the navigation. */
export const VIEWS: readonly View[] = [now, spend, models, tools, errors, settings, request];
