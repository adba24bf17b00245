# The gateway as a container. Compiled, without development packages, as an unprivileged user, and as process 1, so that
# SIGTERM reaches it. docs/deployment.md shows how to run it.
FROM node:24-bookworm-slim AS build
WORKDIR /src
COPY package.json package-lock.json ./
# No package of the gateway needs an install script.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json mod.ts ./
COPY build build
COPY lib lib
COPY tools tools
# The optional packages are the binaries of compilers, which a peer dependency would keep.
RUN npm run build && npm prune --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund \
  && rm -rf node_modules/esbuild node_modules/typescript

FROM node:24-bookworm-slim
# bubblewrap is the sandbox of the tool Bash; without TOOLS=shell it is not used. Its version is that of the Debian
# release of the base image, which a pinned one would contradict at each security update.
# hadolint ignore=DL3008
RUN apt-get update \
  && apt-get install -y --no-install-recommends bubblewrap \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY --from=build /src/package.json ./
COPY --from=build /src/node_modules node_modules
COPY --from=build /src/dist dist
ENV NODE_ENV=production HOST=0.0.0.0 PORT=4000
USER 1000:1000
EXPOSE 4000
HEALTHCHECK --interval=30s --timeout=3s --start-period=5s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/health`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "dist/mod.js"]
