import { z } from 'zod';

/** The sections of the configuration reference, in their order. */
export const SETTING_GROUPS = {
  service: 'Every service',
  connections: 'Databases, queue, addresses',
  identity: 'Identity',
  limits: 'Request limits',
  bookings: 'Bookings and events',
  traces: 'Traces',
} as const;

export type SettingGroup = keyof typeof SETTING_GROUPS;

const registry = z.registry<{ group: SettingGroup }>();

/** Puts every setting of the shape into a section of the configuration reference; returns the shape. */
export function grouped<Shape extends z.ZodRawShape>(group: SettingGroup, shape: Shape): Shape {
  for (const schema of Object.values(shape)) registry.add(schema, { group });
  return shape;
}

/** The section of a setting; undefined for a schema that is in none. */
export function groupOf(schema: z.core.$ZodType): SettingGroup | undefined {
  return registry.get(schema)?.group;
}
