# One image for all five services; the command chooses which of them runs, for example
# `node dist/subgraphs/book/src/main.js`. docker-compose.yml holds the settings and health checks.

# An argument so that a machine without access to an image registry can bring its own Node image.
ARG NODE_IMAGE=node:22-bookworm-slim

FROM ${NODE_IMAGE} AS manifests
WORKDIR /app
COPY package.json package-lock.json .npmrc ./

FROM manifests AS build
RUN --mount=type=cache,target=/root/.npm npm ci --ignore-scripts --include=dev
COPY scripts scripts
COPY prisma prisma
COPY contracts contracts
COPY platform platform
COPY router router
COPY subgraphs subgraphs
RUN npm run build
# What the services read beside their code.
RUN mkdir runtime && cp -r --parents dist prisma/*/migrations subgraphs/*/schema.graphql \
    platform/graphql/schema router/supergraph.graphql runtime

# Without --omit=optional npm keeps Prisma's CLI, an optional peer of its client, and with it
# much that never runs; the embedded PostgreSQL is optional, too, and of no use in a container.
FROM manifests AS dependencies
RUN --mount=type=cache,target=/root/.npm npm ci --ignore-scripts --omit=dev --omit=optional
# 100 MB that no program reads: types, source maps, Prisma's query compilers for other databases.
RUN find node_modules -type f \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.?ts' \
    -o -path '*/@prisma/client/runtime/*sqlserver*' \
    -o -path '*/@prisma/client/runtime/*cockroachdb*' \) -delete
# The one optional package that is needed: libsql loads this machine's binary when imported.
COPY --from=build /app/node_modules/@libsql node_modules/@libsql

FROM ${NODE_IMAGE}
ENV NODE_ENV=production
WORKDIR /app
COPY --from=dependencies /app/node_modules node_modules
# supergraph.yaml marks the project's root: platform/config/project.ts looks for it.
COPY package.json supergraph.yaml ./
COPY --from=build /app/runtime ./
# The user `node` of the base image, by number: Kubernetes' runAsNonRoot cannot check a name. All
# files belong to root, so a service cannot change its own code.
USER 1000:1000
CMD ["node", "dist/router/src/main.js"]
