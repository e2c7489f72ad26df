import type { GraphQLSchema } from 'graphql';
import type { Logger } from '#platform/observability/logger.ts';
import type { Metrics } from '#platform/observability/metrics.ts';
import { type Admission, createAdmission } from './admission.ts';
import { readCostRules } from './cost-rules.ts';
import { createDocuments, type Documents } from './documents.ts';
import { checkManifest, readManifest } from './manifest.ts';
import {
  automaticOperations,
  type PersistedOperations,
  registeredOperations,
} from './persisted-operations.ts';
import { clientRates } from './rates.ts';
import type { AdmissionSettings } from './settings.ts';

export interface OpenAdmission {
  admission: Admission;
  documents: Documents;
  persisted: PersistedOperations;
  close(): Promise<void>;
}

/** Builds admission by the settings; rejects when the manifest of operations cannot be used. */
export async function openAdmission(deps: {
  settings: AdmissionSettings;
  /** Where all routers count together; undefined: each router counts for itself. */
  redisUrl: string | undefined;
  schema: GraphQLSchema;
  supergraphSdl: string;
  /** Whether clients may introspect the schema. */
  introspection: boolean;
  metrics: Metrics;
  logger: Logger;
}): Promise<OpenAdmission> {
  const { settings, redisUrl, schema, supergraphSdl, introspection, metrics, logger } = deps;
  const rates = clientRates({
    mutationsPerUser: settings.MUTATIONS_PER_MINUTE_PER_USER,
    mutationsPerAddress: settings.MUTATIONS_PER_MINUTE_PER_ADDRESS,
    queryCostPerUser: settings.QUERY_COST_PER_MINUTE_PER_USER,
    queryCostPerAddress: settings.QUERY_COST_PER_MINUTE_PER_ADDRESS,
    redisUrl,
    metrics,
    logger,
  });
  const documents = createDocuments({
    schema,
    limits: {
      depth: settings.MAX_OPERATION_DEPTH,
      aliases: settings.MAX_OPERATION_ALIASES,
      directives: settings.MAX_OPERATION_DIRECTIVES,
      rootFields: settings.MAX_ROOT_FIELDS,
      selections: settings.MAX_OPERATION_SELECTIONS,
      tokens: settings.MAX_OPERATION_TOKENS,
    },
    rules: readCostRules(supergraphSdl),
    introspection,
  });
  const maxCost = settings.MAX_OPERATION_COST;
  const persisted = await persistedOperations(settings.OPERATIONS_MANIFEST, documents, maxCost);
  const admission = createAdmission({ documents, maxCost, persisted, rates });
  return { admission, documents, persisted, close: rates.close };
}

/** The manifest's operations only, where there is one; throws one error with everything wrong in it. */
async function persistedOperations(
  manifestPath: string | undefined,
  documents: Documents,
  maxCost: number,
): Promise<PersistedOperations> {
  if (manifestPath === undefined) return automaticOperations();
  const manifest = await readManifest(manifestPath);
  checkManifest(manifestPath, manifest, documents, maxCost);
  return registeredOperations(manifest);
}
